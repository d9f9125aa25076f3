/// Rules by which a vocabulary without tokenizer.json is used, named by the class in tokenizer_config.json or by the model's type.
enum TokenizerFamily: Sendable {
    /// What a SentencePiece model says of itself.
    case sentencePiece
    case llama, gemma, xlmRoberta, camembert, t5, albert, debertaV2
    case bert, mpnet
    case gpt2, roberta, qwen2, gptNeoX, cohere

    /// The family of a model's tokenizer.
    ///
    /// - Parameters:
    ///   - tokenizerClass: `tokenizer_class` without its "Fast"; nil where nothing names one.
    ///   - modelType: `model_type` of config.json.
    /// - Returns: nil for a class whose rules do not exist here.
    init?(tokenizerClass: String?, modelType: String?) {
        guard let tokenizerClass else {
            self = modelType.flatMap { Self.byModelType[$0] } ?? .sentencePiece
            return
        }
        if Self.foreign.contains(tokenizerClass) { return nil }
        self = Self.byClass[tokenizerClass] ?? .sentencePiece
        // Published under Llama's class, but used as their SentencePiece models say.
        if self == .llama, let modelType, Self.misnamed.contains(modelType) { self = .sentencePiece }
    }

    private static let byClass: [String: TokenizerFamily] = [
        "LlamaTokenizer": .llama, "CodeLlamaTokenizer": .llama, "GemmaTokenizer": .gemma,
        "XLMRobertaTokenizer": .xlmRoberta, "CamembertTokenizer": .camembert, "T5Tokenizer": .t5,
        "MT5Tokenizer": .t5, "AlbertTokenizer": .albert, "DebertaV2Tokenizer": .debertaV2,
        "BertTokenizer": .bert, "DistilBertTokenizer": .bert, "ElectraTokenizer": .bert, "NomicBertTokenizer": .bert,
        "MobileBertTokenizer": .bert, "ConvBertTokenizer": .bert, "LayoutLMTokenizer": .bert,
        "SqueezeBertTokenizer": .bert, "DPRContextEncoderTokenizer": .bert, "DPRQuestionEncoderTokenizer": .bert,
        "MPNetTokenizer": .mpnet, "GPT2Tokenizer": .gpt2, "CodeGenTokenizer": .gpt2,
        "RobertaTokenizer": .roberta, "BartTokenizer": .roberta, "LongformerTokenizer": .roberta,
        "Qwen2Tokenizer": .qwen2, "GPTNeoXTokenizer": .gptNeoX, "CohereTokenizer": .cohere,
    ]

    private static let byModelType: [String: TokenizerFamily] = [
        "gemma": .gemma, "gemma2": .gemma, "gemma3": .gemma, "gemma3_text": .gemma, "gemma3n": .gemma,
        "gemma3n_text": .gemma, "code_llama": .llama,
        "xlm-roberta": .xlmRoberta, "gte": .xlmRoberta, "jina_embeddings_v3": .xlmRoberta,
        "camembert": .camembert, "t5": .t5, "mt5": .t5,
        "albert": .albert, "deberta-v2": .debertaV2, "bert": .bert, "distilbert": .bert, "electra": .bert,
        "nomic_bert": .bert, "mpnet": .mpnet, "gpt2": .gpt2, "gpt_neo": .gpt2, "gptj": .gpt2, "codegen": .gpt2,
        "opt": .gpt2, "phi": .gpt2, "starcoder2": .gpt2, "roberta": .roberta, "bart": .roberta,
        "longformer": .roberta, "qwen2": .qwen2, "qwen2_moe": .qwen2, "qwen3": .qwen2, "qwen3_moe": .qwen2,
        "gpt_neox": .gptNeoX, "olmo": .gptNeoX, "olmoe": .gptNeoX, "mamba": .gptNeoX, "cohere": .cohere,
        "cohere2": .cohere,
    ]

    private static let misnamed: Set<String> = [
        "mistral", "mixtral", "ministral", "ministral3", "mistral3", "pixtral", "phi3", "phi3_v", "phimoe",
        "internlm2", "internlm3", "minicpm3", "minicpmv", "stablelm", "granite", "granitemoe", "nemotron", "olmo2",
        "olmo3", "glm", "glm4", "glm4_moe", "minimax_m2", "arctic", "jamba", "llava", "llava_next", "ernie4_5",
        "ernie4_5_moe", "persimmon", "fuyu", "umt5",
    ]

    /// Classes that do with a vocabulary what nothing here does.
    private static let foreign: Set<String> = [
        "BarthezTokenizer", "BartphoTokenizer", "BertGenerationTokenizer", "BertJapaneseTokenizer", "BertweetTokenizer",
        "BigBirdTokenizer", "ByT5Tokenizer", "CanineTokenizer", "CLIPTokenizer", "CpmTokenizer", "CTRLTokenizer",
        "EsmTokenizer", "FlaubertTokenizer", "FNetTokenizer", "FunnelTokenizer", "HerbertTokenizer", "LukeTokenizer",
        "M2M100Tokenizer", "MarianTokenizer", "MBartTokenizer", "MBart50Tokenizer", "MLukeTokenizer", "NllbTokenizer",
        "OpenAIGPTTokenizer", "PegasusTokenizer", "PhobertTokenizer", "PLBartTokenizer", "ReformerTokenizer",
        "RemBertTokenizer", "RoCBertTokenizer", "RoFormerTokenizer", "SeamlessM4TTokenizer", "SplinterTokenizer",
        "UdopTokenizer", "WhisperTokenizer", "XGLMTokenizer", "XLMTokenizer", "XLNetTokenizer",
    ]
}

// Names of special tokens where the configuration has no others.
extension TokenizerFamily {
    /// By their keys in tokenizer_config.json.
    var specialTokens: [String: String] {
        switch self {
        case .sentencePiece: [:]
        case .llama: ["unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"]
        case .gemma:
            [
                "unk_token": "<unk>", "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>",
                "mask_token": "<mask>",
            ]
        case .xlmRoberta, .camembert, .roberta: Self.sentenceNames(unknown: "<unk>")
        case .mpnet: Self.sentenceNames(unknown: "[UNK]")
        case .t5: ["unk_token": "<unk>", "eos_token": "</s>", "pad_token": "<pad>"]
        case .albert: Self.bertNames(unknown: "<unk>", padding: "<pad>", hasEnds: true)
        case .debertaV2: Self.bertNames(unknown: "[UNK]", padding: "[PAD]", hasEnds: true)
        case .bert: Self.bertNames(unknown: "[UNK]", padding: "[PAD]", hasEnds: false)
        case .gpt2:
            ["unk_token": "<|endoftext|>", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"]
        case .qwen2: ["unk_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"]
        case .gptNeoX:
            [
                "unk_token": "<|endoftext|>", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>",
                "pad_token": "<|padding|>",
            ]
        case .cohere:
            [
                "unk_token": "<UNK>", "bos_token": "<BOS_TOKEN>", "eos_token": "<|END_OF_TURN_TOKEN|>",
                "pad_token": "<PAD>", "cls_token": "<CLS>", "sep_token": "<SEP>", "mask_token": "<MASK_TOKEN>",
            ]
        }
    }

    private static func sentenceNames(unknown: String) -> [String: String] {
        [
            "unk_token": unknown, "bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>",
            "pad_token": "<pad>", "mask_token": "<mask>",
        ]
    }

    private static func bertNames(unknown: String, padding: String, hasEnds: Bool) -> [String: String] {
        var names = [
            "unk_token": unknown, "sep_token": "[SEP]", "cls_token": "[CLS]", "pad_token": padding,
            "mask_token": "[MASK]",
        ]
        if hasEnds { (names["bos_token"], names["eos_token"]) = ("[CLS]", "[SEP]") }
        return names
    }
}
