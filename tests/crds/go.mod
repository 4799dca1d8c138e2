// The schemas that tests check objects against, from their projects' own modules. Newer releases:
// https://github.com/kubernetes-sigs/gateway-api/releases and the page that
// components/cert_manager/settings.py names, whose version is to be the same. Of the Prometheus Operator the
// last release whose module carries its kinds under a version that Go takes.
module ha-iris/tests/crds

go 1.25.0

require (
	github.com/cert-manager/cert-manager v1.21.2
	github.com/prometheus-operator/prometheus-operator v0.85.0
	sigs.k8s.io/gateway-api v1.6.3
)
