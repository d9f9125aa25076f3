/// The server arguments of SGLang 0.5.23 on a CPU, with the values they have when no flag is given.
///
/// They are what /server_info reports for flags that srt does not honour, and they tell what such a flag takes.
enum ReferenceArguments {
    /// Name and default of every argument, in SGLang's order.
    static let all: [(name: String, value: ArgumentValue)] = text.split(whereSeparator: \.isWhitespace).map { entry in
        guard let equals = entry.firstIndex(of: "="),
            let value = ArgumentValue(pythonRepr: entry[entry.index(after: equals)...])
        else { preconditionFailure("malformed reference argument \(entry)") }
        return (String(entry[..<equals]), value)
    }

    /// The same by name.
    static let byField = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0.value) })

    /// `name=repr`, separated by white space.
    private static let text = """
        model_path=None tokenizer_path=None tokenizer_mode='auto' tokenizer_backend='huggingface' tokenizer_worker_num=1
        detokenizer_worker_num=1 skip_tokenizer_init=False load_format='auto' model_loader_extra_config='{}'
        trust_remote_code=False context_length=None is_embedding=False enable_multimodal=None revision=None
        model_impl='auto' model_config_parser='auto' json_model_override_args='{}' dtype='auto' quantization=None
        quantization_param_path=None kv_cache_dtype='auto' enable_fp32_lm_head=False modelopt_quant=None
        modelopt_checkpoint_restore_path=None modelopt_checkpoint_save_path=None modelopt_export_path=None
        quantize_and_serve=False rl_quant_profile=None enable_tf32_matmul=False mem_fraction_static=None
        max_running_requests=None max_queued_requests=None max_total_tokens=None chunked_prefill_size=4096
        prefill_decode_interval=0 enable_dynamic_chunking=False max_prefill_tokens=16384 prefill_max_requests=None
        schedule_policy='fcfs' enable_priority_scheduling=False disable_priority_preemption=False
        default_priority_value=None abort_on_priority_when_disabled=False schedule_low_priority_values_first=False
        priority_scheduling_preemption_threshold=10 retraction_policy='length' schedule_conservativeness=1.0 page_size=1
        c128_page_size=16 swa_full_tokens_ratio=0.8 disable_hybrid_swa_memory=False radix_eviction_policy='lru'
        radix_eviction_policy_config=None prefill_only_disable_kv_cache=False disable_radix_cache=False
        enable_page_major_kv_layout=False enable_unified_memory=False disable_chunked_prefix_cache=False
        disable_overlap_schedule=False num_continuous_decode_steps=1 scheduler_recv_interval=1 enable_mixed_chunk=False
        nccl_port=None dist_timeout=None dist_init_addr=None gated_launch_port=None nnodes=1 node_rank=0 tp_size=1
        dcp_size=1 pp_size=1 pp_max_micro_batch_size=None pp_async_batch_depth=0 dp_size=1 attn_dp_size=1
        load_balance_method='auto' attn_cp_size=1 moe_dp_size=1 dwdp_size=1 dcp_comm_backend='ag_rs'
        dcp_replicate_q_proj=None enable_prefill_cp=False cp_strategy=None enable_dsa_cache_layer_split=False
        enable_cp_decode_attn_tp=False enable_kv_cache_sharding=False enable_dp_attention=False
        enable_dp_attention_local_control_broadcast=False enable_dp_lm_head=False enable_tp_lm_head_all_to_all=False
        enable_attn_tp_input_scattered=False enable_shared_experts_attn_tp=False shared_experts_tp_size=None
        enable_dense_mlp_attn_tp=False enable_layernorm_sp=False disable_attn_tp_gather=False enable_p2p_check=False
        device='cpu' base_gpu_id=0 gpu_id_step=1 random_seed=None mlx_enable_sampling=False watchdog_timeout=300
        soft_watchdog_timeout=None sleep_on_idle=False use_ray=False custom_sigquit_handler=None numa_node=None
        gc_threshold=None host='127.0.0.1' port=30000 fastapi_root_path='' smg_grpc_mode=False grpc_mode=False
        grpc_port=None grpc_worker_threads=4 sidecar=None sidecar_args=None skip_server_warmup=False warmups=None
        enable_http2=False http2_max_concurrent_streams=200 http2_initial_connection_window_size=1048576
        ssl_keyfile=None ssl_certfile=None ssl_ca_certs=None ssl_keyfile_password=None enable_ssl_refresh=False
        api_key=None admin_api_key=None served_model_name=None weight_version='default' chat_template=None
        trust_request_chat_template=False hf_chat_template_name=None completion_template=None file_storage_path=None
        enable_cache_report=False return_input_ids=False return_output_ids=False reasoning_parser=None
        default_chat_template_kwargs=None strip_thinking_cache=False enable_strict_thinking=False tool_call_parser=None
        tool_server=None sampling_defaults='model' asr_max_buffer_seconds=60 asr_max_concurrent_sessions=32
        preferred_sampling_params=None allow_auto_truncate=False stream_interval=1 batch_notify_size=16
        stream_response_default_include_usage=False incremental_streaming_output=False enable_streaming_session=False
        enable_session_radix_cache=False log_level='info' log_level_http=None log_requests=False log_requests_level=2
        log_requests_format='text' log_requests_target=None uvicorn_access_log_exclude_prefixes=[]
        crash_dump_folder=None show_time_cost=False enable_metrics=False smg_http_sidecar_port=None
        enable_mfu_metrics=False enable_metrics_for_all_schedulers=False load_snapshot_publish_interval=15
        tokenizer_metrics_custom_labels_header='x-custom-labels' tokenizer_metrics_allowed_custom_labels=None
        extra_metric_labels=None bucket_time_to_first_token=None bucket_inter_token_latency=None
        bucket_e2e_request_latency=None prompt_tokens_buckets=None generation_tokens_buckets=None
        gc_warning_threshold_secs=0.0 decode_log_interval=40 enable_request_time_stats_logging=False
        kv_events_config=None load_publish_endpoint=None enable_forward_pass_metrics=False
        forward_pass_metrics_worker_id='' forward_pass_metrics_ipc_name=None enable_trace=False trace_modules='request'
        otlp_traces_endpoint='localhost:4317' export_metrics_to_file=False export_metrics_to_file_dir=None
        stat_loggers=None constrained_json_whitespace_pattern=None constrained_json_disable_any_whitespace=False
        constrained_json_max_whitespace_cnt=None attention_backend=None decode_attention_backend=None
        enable_lean_attention=None prefill_attention_backend=None sampling_backend=None grammar_backend='xgrammar'
        radix_cache_backend=None mm_attention_backend=None fp8_gemm_runner_backend='auto' fp4_gemm_runner_backend='auto'
        bf16_gemm_backend='auto' dsa_prefill_backend=None dsv4_prefill_backend='auto' dsa_decode_backend=None
        dsa_paged_mqa_logits_backend='auto' dsa_topk_backend='sgl-kernel' disable_flashinfer_autotune=False
        flashinfer_autotune_skip_ops=None mamba_backend='triton' cuda_graph_config=None cuda_graph_backend_decode=None
        cuda_graph_backend_prefill=None cuda_graph_max_bs_decode=None cuda_graph_max_bs_prefill=None
        cuda_graph_bs_decode=None cuda_graph_bs_prefill=None cuda_graph_prefill_max_context=None
        disable_prefill_cuda_graph=False disable_decode_cuda_graph=False disable_cuda_graph=False
        disable_cuda_graph_padding=False enable_profile_cuda_graph=False enable_cudagraph_gc=False
        debug_cuda_graph=False enable_layerwise_nvtx_marker=False enable_nccl_nvls=False enable_symm_mem=False
        triton_attention_reduce_in_fp32=False triton_attention_num_kv_splits=8 triton_attention_split_tile_size=None
        flashinfer_mla_disable_ragged=False enable_fused_qk_norm_rope=None enable_precise_embedding_interpolation=False
        enable_fused_moe_sum_all_reduce=False enable_deepseek_v4_fp4_indexer=False disable_custom_all_reduce=False
        enable_mscclpp=False enable_torch_symm_mem=False enable_scattered_sconv=False pre_warm_nccl=False
        boundary_reduction='rs+rsv' enable_quant_communications=False enable_flashinfer_allreduce_fusion=False
        enforce_disable_flashinfer_allreduce_fusion=False flashinfer_allreduce_fusion_backend=None
        enable_aiter_allreduce_fusion=False enable_torch_compile=False enable_torch_compile_debug_mode=False
        torch_compile_max_bs=32 speculative_algorithm=None uno_lora_path=None speculative_draft_model_path=None
        speculative_draft_model_revision=None speculative_draft_load_format=None speculative_num_steps=None
        speculative_eagle_topk=None speculative_num_draft_tokens=None speculative_dflash_block_size=None
        speculative_dspark_block_size=None speculative_dspark_sps_table_path=None
        speculative_dspark_confidence_sts_path=None speculative_dspark_align_verify_tokens_to_graph_tier=False
        speculative_accept_threshold_single=1.0 speculative_accept_threshold_acc=1.0
        speculative_use_rejection_sampling=False speculative_token_map=None speculative_attention_mode='prefill'
        speculative_draft_attention_backend=None speculative_dsa_topk_backend='sgl-kernel'
        speculative_draft_kv_cache_dtype=None speculative_draft_window_size=None speculative_moe_runner_backend='auto'
        speculative_moe_a2a_backend=None speculative_enable_w4a4_mxfp4_megamoe=None
        speculative_draft_model_quantization=None enable_multi_layer_eagle=False speculative_adaptive=False
        speculative_adaptive_config=None decoupled_spec_bind_endpoint=None decoupled_spec_connect_endpoints=None
        decoupled_spec_rank=None decoupled_spec_role='null' spec_trace_dir=None speculative_ngram_min_bfs_breadth=1
        speculative_ngram_max_bfs_breadth=10 speculative_ngram_match_type='BFS' speculative_ngram_max_trie_depth=18
        speculative_ngram_capacity=10000000 speculative_ngram_external_corpus_path=None
        speculative_ngram_external_sam_budget=0 speculative_ngram_external_corpus_max_tokens=10000000 ep_size=1
        moe_a2a_backend='none' enable_w4a4_mxfp4_megamoe=False deepep_v2_mode='direct' moe_runner_backend='auto'
        flashinfer_mxfp4_moe_precision='default' deepep_mode='auto' fuseep_mode=2 deepep_dispatcher_output_dtype='auto'
        ep_num_redundant_experts=0 ep_dispatch_algorithm=None init_expert_location='trivial' enable_eplb=False
        eplb_algorithm='auto' eplb_rebalance_num_iterations=1000 eplb_rebalance_layers_per_chunk=None
        eplb_min_rebalancing_utilization_threshold=1.0 expert_distribution_recorder_mode=None
        expert_distribution_recorder_buffer_size=1000 expert_balancedness_report_mode='off' deepep_config=None
        moe_dense_tp_size=None elastic_ep_backend=None enable_elastic_expert_backup=False mooncake_ib_device=None
        enable_waterfill=False ep_join_mode=None ep_join_rank_offset=0 elastic_ep_initial_size=None max_ep_size=None
        elastic_ep_scale_timeout=600 disable_flashinfer_cutlass_moe_fp4_allgather=False
        disable_shared_experts_fusion=False enforce_shared_experts_fusion=False max_mamba_cache_size=None
        mamba_ssm_dtype=None mamba_max_states_per_path=-1 enable_mamba_cache_stochastic_rounding=False
        mamba_cache_philox_rounds=0 mamba_full_memory_ratio=0.9 mamba_radix_cache_strategy='auto'
        uses_mamba_radix_cache=False mamba_track_interval=256 enable_int8_mamba_checkpoint=False
        int8_mamba_ckpt_size=None linear_attn_backend='triton' linear_attn_decode_backend=None
        linear_attn_prefill_backend=None linear_attn_verify_backend=None enable_linear_replayssm=False
        linear_replayssm_cache_len=16 enable_linear_replayssm_spec=False enable_hierarchical_cache=False
        hicache_host_memory_mode='cache' hicache_ratio=2.0 hicache_size=0 hicache_write_policy='write_through'
        hicache_io_backend='kernel' hicache_mem_layout='page_first' hicache_storage_backend=None
        hicache_storage_prefetch_policy='timeout' hicache_storage_backend_extra_config=None
        hicache_storage_prefetch_retry_poll_interval=8 hicache_storage_prefetch_retry_max_attempts=8
        enable_unified_cache_external_linker=False unified_cache_external_linker_backend='mooncake'
        enable_hisparse=False hisparse_config=None enable_broadcast_mm_inputs_process=False enable_prefix_mm_cache=False
        mm_enable_dp_encoder=False mm_process_config=None mm_processor_worker_num=0 mm_io_worker_num=0
        allowed_media_domains=[] media_url_max_file_size_mb=64 mm_preprocess_cache_size_mb=None
        trust_mm_content_hashes=False limit_mm_data_per_request=None enable_mm_global_cache=False
        image_processor_backend='auto' mm_global_cache_backend='mooncake' disable_fast_image_processor=False
        mm_feature_transport='cpu' enable_lora=None enable_lora_overlap_loading=None max_lora_rank=None
        lora_target_modules=None lora_paths=None max_loaded_loras=None max_loras_per_batch=8 lora_eviction_policy='lru'
        lora_backend='csgmv' max_lora_chunk_size=16 experts_shared_outer_loras=None lora_use_virtual_experts=False
        lora_strict_loading=False lora_drain_wait_threshold=0.0 enable_two_batch_overlap=False
        enable_single_batch_overlap=False tbo_token_distribution_threshold=0.48 cpu_offload_gb=0 offload_group_size=-1
        offload_num_in_group=1 offload_prefetch_step=1 offload_mode='cpu' enable_lmcache=False lmcache_config_file=None
        enable_flexkv=False flexkv_config_file=None kt_weight_path=None kt_method='AMXINT4' kt_cpuinfer=None
        kt_threadpool_count=2 kt_num_gpu_experts=None kt_max_deferred_experts_per_token=None dllm_algorithm=None
        dllm_algorithm_config=None dllm_fdfo=True disaggregation_mode='null' disaggregation_transfer_backend='mooncake'
        disaggregation_bootstrap_port=8998 disaggregation_ib_device=None disaggregation_decode_enable_radix_cache=False
        disaggregation_decode_enable_offload_kvcache=False disaggregation_decode_retraction_backup=None
        num_reserved_decode_tokens=512 disaggregation_decode_extra_slots=None disaggregation_decode_polling_interval=1
        optimistic_prefill_attempts=0 encoder_only=False language_only=False language_model_only=False
        encoder_transfer_backend='zmq_to_scheduler' encoder_urls=[] encoder_bootstrap_port=8997 encoder_register_urls=[]
        enable_adaptive_dispatch_to_encoder=False enable_pdmux=False pdmux_config_path=None sm_group_num=8
        startup_weight_load_mode='serial' custom_weight_loader=[] weight_loader_disable_mmap=False
        weight_loader_prefetch_checkpoints=False weight_loader_prefetch_num_threads=4
        weight_loader_drop_cache_after_load=False remote_instance_weight_loader_seed_instance_ip=None
        remote_instance_weight_loader_seed_instance_service_port=None
        remote_instance_weight_loader_send_weights_group_ports=None remote_instance_weight_loader_backend='nccl'
        remote_instance_weight_loader_start_seed_via_transfer_engine=False engine_info_bootstrap_port=6789
        modelexpress_config=None download_dir=None model_checksum=None delete_ckpt_after_loading=False
        decrypted_config_file=None decrypted_draft_config_file=None checkpoint_engine_wait_weights_before_ready=False
        enable_prefill_delayer=False prefill_delayer_max_delay_passes=30 prefill_delayer_token_usage_low_watermark=None
        prefill_delayer_forward_passes_buckets=None prefill_delayer_wait_seconds_buckets=None
        prefill_delayer_queue_min_ratio=None prefill_delayer_max_delay_ms=None min_free_slots_delay=None
        enable_deterministic_inference=False rl_on_policy_target=None kv_canary='none' kv_canary_real_data='none'
        kv_canary_sweep_interval=0 enable_dynamic_batch_tokenizer=False dynamic_batch_tokenizer_batch_size=32
        dynamic_batch_tokenizer_batch_timeout=0.002 enable_tokenizer_batch_encode=False
        disable_tokenizer_batch_decode=False debug_tensor_dump_output_folder=None debug_tensor_dump_layers=None
        debug_tensor_dump_input_file=None enable_memory_saver=False enable_weights_cpu_backup=False
        enable_draft_weights_cpu_backup=False enable_custom_logit_processor=False enable_return_hidden_states=False
        return_hidden_states_mode=None enable_return_routed_experts=False enable_return_indexer_topk=False
        sampling_mask_max_tokens=4096 disable_outlines_disk_cache=False enable_mis=False weight_cache_mode='off'
        weight_cache_socket=None weight_cache_timeout=1800 forward_hooks=None msprobe_dump_config=None
        ple_offload_embedding=None ple_offload_backend='pinned' ple_offload_dir=None
        disaggregation_enable_kv_checksum=False enable_pd_role_switch=False speculative_domino_candidate_pool_size=2048
        flashinfer_a2a_dispatch_type=None cuda_graph_max_seq_len_prefill=None prefill_kv_cache_dequant_dtype='auto'
        dsv4_attn_backend='auto' otlp_service_name=None hicache_host_memory_fraction=0.8 enable_linker_mla_dedup=False
        swa_prefix_tails=None enable_encoder_swa_bounded_replay=False enable_decoder_swa_bounded_replay=None
        enable_response_store=False disaggregation_decode_host_receive_threshold=1.0 qsa_indexer_dtype='auto'
        disaggregation_decode_allocation_policy='early' speculative_boundary_reduction='rs+rsv'
        speculative_use_block_verification=False speculative_draft_sink_size=None
        disable_aiter_allreduce_fusion_in_prefill=False disable_aiter_allreduce_fusion_in_decode=False
        enable_amd_monokernel=False dsa_triton_union=0 enable_dsa_fused_indexer=None enable_cp_tp_group_sharing=False
        enable_watermark=False watermark_config=None watermark_key=None watermark_key_b=None watermark_context_window=4
        watermark_mixing_probability=0.5 watermark_max_probability=1.0 watermark_default_enabled=False
        watermark_enforce_all=False grpc_response_timeout_secs=300 enable_paged_experts=False
        paged_experts_num_resident=None enable_nvidia_megakernel=False enable_megamoe_for_layernorm_sp=False
        enable_http_worker_reuseport=False prefill_decode_interval_min_bs=0 unified_cache_external_linker_config=None
        enable_return_aux_hidden_states=False aux_hidden_state_capture=None return_aux_hidden_state_layer_ids=None
        """
}
