"""Metrics that alerts and dashboards may use, each as its own project documents it."""

IRIS = {
    # InterSystems, "Monitoring InterSystems IRIS via REST", Metric Descriptions
    # (https://docs.intersystems.com/irislatest/csp/docbook/DocBook.UI.Page.cls?KEY=GCM_rest)
    "iris_cache_efficiency",
    "iris_db_max_size_mb",
    "iris_db_size_mb",
    "iris_glo_ref_per_sec",
    "iris_glo_update_per_sec",
    "iris_jrn_block_per_sec",
    "iris_jrn_free_space",
    "iris_license_available",
    "iris_license_consumed",
    "iris_license_days_remaining",
    "iris_license_percent_used",
    "iris_phys_reads_per_sec",
    "iris_phys_writes_per_sec",
    "iris_process_count",
    "iris_smh_total_percent_full",
    "iris_sql_queries_per_second",
    "iris_system_alerts",
    "iris_system_state",
    "iris_trans_open_count",
    "iris_trans_open_secs_max",
    "iris_wd_cycle_time",
    "iris_wd_suspended",
    "iris_wd_write_time",
    "iris_wdwij_time",
    "iris_wij_writes_per_sec",
}

LONGHORN = {
    # Longhorn 1.12.1, "Longhorn Metrics for Monitoring"
    # (https://longhorn.io/docs/1.12.1/monitoring/metrics/)
    "longhorn_backup_state",
    "longhorn_disk_capacity_bytes",
    "longhorn_disk_usage_bytes",
    "longhorn_engine_rebuild_progress",
    "longhorn_engine_replica_mode",
    "longhorn_instance_manager_memory_usage_bytes",
    "longhorn_manager_memory_usage_bytes",
    "longhorn_node_status",
    "longhorn_volume_actual_size_bytes",
    "longhorn_volume_capacity_bytes",
    "longhorn_volume_file_system_read_only",
    "longhorn_volume_last_backup_at",
    "longhorn_volume_read_iops",
    "longhorn_volume_read_latency",
    "longhorn_volume_read_throughput",
    "longhorn_volume_robustness",
    "longhorn_volume_state",
    "longhorn_volume_write_iops",
    "longhorn_volume_write_latency",
    "longhorn_volume_write_throughput",
}

KUBERNETES = {
    # kube-state-metrics, "Pod Metrics"
    # (https://github.com/kubernetes/kube-state-metrics/blob/main/docs/metrics/workload/pod-metrics.md)
    "kube_pod_container_info",
    "kube_pod_container_state_started",
    "kube_pod_container_status_last_terminated_exitcode",
    "kube_pod_container_status_last_terminated_timestamp",
    "kube_pod_container_status_restarts_total",
    "kube_pod_container_status_running",
    "kube_pod_status_ready",
    # kube-state-metrics, "CronJob Metrics" and "Job Metrics", beside it
    "kube_cronjob_created",
    "kube_cronjob_spec_suspend",
    "kube_cronjob_status_last_successful_time",
    "kube_job_created",
    "kube_job_failed",
    "kube_job_owner",
    "kube_job_status_completion_time",
    "kube_job_status_start_time",
    # Kubernetes, "Kubernetes Metrics Reference"
    # (https://kubernetes.io/docs/reference/instrumentation/metrics/):
    # the kubelet, and the cAdvisor in it
    "container_memory_working_set_bytes",
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
    "prober_probe_total",
}

CERT_MANAGER = {
    # cert-manager v1.21.2, internal/collectors/certificate_collector.go; read as "Prometheus
    # Metrics" says (https://cert-manager.io/docs/devops-tips/prometheus-metrics/)
    "certmanager_certificate_expiration_timestamp_seconds",
    "certmanager_certificate_renewal_timestamp_seconds",
}

FENCING = {
    # The agent's own: components/fencing/program/tell.py
    "ha_iris_fencing_dry_run",
    "ha_iris_fencing_failing",
    "ha_iris_fencing_fence_phase",
    "ha_iris_fencing_fenced_timestamp_seconds",
    "ha_iris_fencing_held",
    "ha_iris_fencing_last_look_timestamp_seconds",
    "ha_iris_fencing_leader",
    "ha_iris_fencing_out_of_service",
    "ha_iris_fencing_paused",
}

PROMETHEUS = {
    # Prometheus, "Jobs and instances" (https://prometheus.io/docs/concepts/jobs_instances/)
    "up",
}

KNOWN = IRIS | LONGHORN | KUBERNETES | CERT_MANAGER | FENCING | PROMETHEUS
