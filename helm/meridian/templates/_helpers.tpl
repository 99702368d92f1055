{{/* Prefix of every name. 46 characters leave room for "-membership-admin" in the 63 of a Service's name. */}}
{{- define "meridian.fullname" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 46 | trimSuffix "-" -}}
{{- end }}

{{- define "meridian.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end }}

{{- define "meridian.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "meridian.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{/* Labels that never change and may stand in a selector. Argument: dict "root" $ "component" "booking". */}}
{{- define "meridian.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{/* Labels of an object; same argument. */}}
{{- define "meridian.labels" -}}
{{ include "meridian.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: {{ .root.Chart.Name }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Labels of a pod; same argument. Without the chart's version, whose change alone should not roll pods. */}}
{{- define "meridian.podLabels" -}}
{{- with .root.Values.podLabels -}}
{{ toYaml . }}
{{ end -}}
{{ include "meridian.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end }}

{{/* The restricted profile of the Pod Security Standards; not configurable, as nothing here needs more. */}}
{{- define "meridian.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "meridian.containerSecurityContext" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Where a pod may be placed. */}}
{{- define "meridian.placement" -}}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* One variable out of an existing secret. Argument: dict "variable" "…" "secret" {name, key}. */}}
{{- define "meridian.secretVariable" -}}
- name: {{ .variable }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret.name }}
      key: {{ .secret.key }}
{{- end }}

{{/* Variable that holds a service's database URL. Argument: the service's name. */}}
{{- define "meridian.databaseVariable" -}}
MERIDIAN__{{ upper . }}__DATABASE_URL
{{- end }}

{{/*
A value in TOML. A number out of values is always a float64 here, which toToml would write as 30.0;
JSON's strings and booleans are TOML's, and its quoted keys are TOML keys.
*/}}
{{- define "meridian.tomlValue" -}}
{{- if kindIs "map" . -}}
{ {{- range $i, $key := keys . | sortAlpha }}{{ if $i }}, {{ end }}{{ toJson $key }} = {{ include "meridian.tomlValue" (get $ $key) }}{{ end -}} }
{{- else if kindIs "slice" . -}}
[{{ range $i, $item := . }}{{ if $i }}, {{ end }}{{ include "meridian.tomlValue" $item }}{{ end }}]
{{- else if and (kindIs "float64" .) (eq . (floor .)) -}}
{{ int64 . }}
{{- else -}}
{{ toJson . }}
{{- end -}}
{{- end }}

{{/* Where the sandbox provider sends its notices: to the gateway, like any provider. */}}
{{- define "meridian.sandboxNoticeUrl" -}}
{{- $gateway := get (include "meridian.contract" . | fromYaml) "gateway" -}}
{{- printf "http://%s-gateway:%v/v1/payments:notify/sandbox" (include "meridian.fullname" .) $gateway.port -}}
{{- end }}

{{/* What the chart itself writes into the configuration file, by section, as YAML. Nothing in it is secret. */}}
{{- define "meridian.sections" -}}
{{- $fullname := include "meridian.fullname" . -}}
admin:
  addr: 0.0.0.0:{{ include "meridian.adminPort" . }}
lifecycle:
  drain_timeout_seconds: {{ .Values.shutdown.drainSeconds }}
telemetry:
  log_format: {{ .Values.telemetry.logFormat }}
  filter: {{ .Values.telemetry.logFilter | quote }}
  {{- with .Values.telemetry.otlpEndpoint }}
  otlp_endpoint: {{ . }}
  {{- end }}
sandbox:
  enabled: {{ not (empty .Values.secrets.sandbox.name) }}
  notice_url: {{ include "meridian.sandboxNoticeUrl" . }}
{{- with .Values.paymentProviders.wechat }}
{{- if .enabled }}
wechat:
  enabled: true
  app_id: {{ toJson .appId }}
  merchant_id: {{ toJson .merchantId }}
  certificate_serial: {{ toJson .certificateSerial }}
  {{- if .publicKeyId }}
  public_key_id: {{ toJson .publicKeyId }}
  public_key: {{ toJson .publicKey }}
  {{- end }}
  notice_url: {{ toJson .noticeUrl }}
  profit_sharing: {{ .profitSharing }}
  invoices: {{ .invoices }}
{{- end }}
{{- end }}
{{- with .Values.paymentProviders.alipay }}
{{- if .enabled }}
alipay:
  enabled: true
  app_id: {{ toJson .appId }}
  seller_id: {{ toJson .sellerId }}
  {{- if .publicKey }}
  public_key: {{ toJson .publicKey }}
  {{- else }}
  app_certificate: {{ toJson .appCertificate }}
  certificate: {{ toJson .certificate }}
  root_certificates: {{ toJson .rootCertificates }}
  {{- end }}
  notice_url: {{ toJson .noticeUrl }}
{{- end }}
{{- end }}
{{- range $name := keys .Values.services | sortAlpha }}
{{- $role := include "meridian.role" (dict "root" $ "name" $name) | fromYaml }}
{{- if eq $role.contract.protocol "http" }}
http:
  addr: 0.0.0.0:{{ $role.contract.port }}
{{- else }}
{{ $name }}:
  grpc_addr: 0.0.0.0:{{ $role.contract.port }}
  url: http://{{ $fullname }}-{{ $name }}:{{ $role.contract.port }}
  max_connections: {{ $role.values.databaseConnections }}
{{- end }}
{{- end }}
{{- end }}

{{/* The configuration file, the same for every role: the chart's sections laid over `settings`. */}}
{{- define "meridian.config" -}}
{{- range $section, $keys := mergeOverwrite (deepCopy .Values.settings) (include "meridian.sections" . | fromYaml) }}
[{{ $section }}]
{{- range $key, $value := $keys }}
{{ $key }} = {{ include "meridian.tomlValue" $value }}
{{- end }}
{{ end }}
{{- end }}

{{/* Rules between values that a schema cannot state. */}}
{{- define "meridian.validate" -}}
{{- $drain := add .Values.shutdown.preStopSeconds .Values.shutdown.drainSeconds -}}
{{- if le (int .Values.shutdown.terminationGracePeriodSeconds) (int $drain) -}}
{{- fail (printf "shutdown.terminationGracePeriodSeconds must exceed preStopSeconds + drainSeconds (%d)" $drain) -}}
{{- end -}}
{{- range $name := keys .Values.services -}}
{{- $role := include "meridian.role" (dict "root" $ "name" $name) | fromYaml -}}
{{- $scaling := $role.values.autoscaling -}}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) -}}
{{- fail (printf "services.%s: autoscaling.minReplicas exceeds maxReplicas" $name) -}}
{{- end -}}
{{- end -}}
{{- end }}
