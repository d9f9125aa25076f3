"""The tokenizer all tiny models share: byte-level BPE (GPT-2's pre-tokenizer) of 331 tokens, trained on the paragraph below.

256 single bytes, three specials and 72 merges fill the vocabulary exactly: any text can be tokenised and any id decoded."""

import json
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

VOCABULARY_SIZE = 331
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
END_OF_TEXT, TURN_START, TURN_END = 0, 1, 2

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

PASSAGE = """The mill stood where the river bends, and the wheel had not turned since the winter of the long frost. Every morning
the keeper walked down through the wet grass, counted the boards of the weir, and wrote the level of the water in a book whose first
pages were older than his grandfather. In spring the numbers rose by a hand each week; in autumn they fell, and once, in a dry
September, he wrote nothing but a line. Nobody asked him to do this. When the surveyors came, with their brass tubes and their
questions, he gave them the book, and they read 1847, 1863, 1902 and 1911 aloud to each other as if the years were names of friends.
They offered 250 crowns for it. He said that the river was not for sale, and neither was its diary, and he showed them to the door.
That night it rained, and by the morning the lowest boards were under water; the keeper put on his boots and went down to count.
"""


def build() -> Tokenizer:
    """Trains the tokenizer; the result depends on nothing but this file."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=SPECIALS,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator([PASSAGE], trainer)
    assert tokenizer.get_vocab_size() == VOCABULARY_SIZE
    return tokenizer


def save(tokenizer: Tokenizer, folder: Path) -> None:
    """Writes tokenizer.json and tokenizer_config.json."""
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": SPECIALS[TURN_START],
        "eos_token": SPECIALS[TURN_END],
        "pad_token": SPECIALS[END_OF_TEXT],
        "add_bos_token": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 512,
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1, ensure_ascii=False) + "\n")


def prompts(tokenizer: Tokenizer, lengths: list[int]) -> list[tuple[str, list[int]]]:
    """Pieces of the passage that are exactly so many tokens long, each from another start."""
    found = []
    for start, length in enumerate(lengths):
        text = PASSAGE[start * 97 :]
        for end in range(1, len(text) + 1):
            ids = tokenizer.encode(text[:end]).ids
            if len(ids) == length:
                found.append((text[:end], ids))
                break
        else:
            raise ValueError(f"no piece of {length} tokens")
    return found
