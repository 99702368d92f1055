{{/*
What each role of the executable is, needs and may reach. This follows from the program, so it is no value:
an operator cannot hand the master key to a service that has no use for it.

  port     where it answers; the protocol is `http` for the gateway and gRPC for the others
  secrets  which of the suite's secrets it gets, besides its own database
  calls    whose gRPC port it may reach. Everybody reaches membership, for the keys of access tokens (GetJwks).
*/}}
{{- define "meridian.contract" -}}
booking:
  port: 50051
  protocol: grpc
  database: true
  secrets: [redis, serviceKeySeed]
  calls: [membership, payment, marketing]
membership:
  port: 50052
  protocol: grpc
  database: true
  secrets: [redis, serviceKeySeed, masterKey]
  calls: [booking, payment, marketing]
payment:
  port: 50053
  protocol: grpc
  database: true
  secrets: [redis, serviceKeySeed, masterKey, wechatPrivateKey, wechatApiKey, alipayPrivateKey, sandbox]
  calls: [booking, membership, marketing]
marketing:
  port: 50054
  protocol: grpc
  database: true
  secrets: [redis, serviceKeySeed, masterKey]
  calls: [booking, membership, payment]
analytics:
  port: 50055
  protocol: grpc
  database: true
  secrets: [redis, serviceKeySeed, masterKey]
  calls: [booking, membership, payment, marketing]
gateway:
  port: 8080
  protocol: http
  database: false
  secrets: [serviceKeySeed]
  calls: [booking, membership, payment, marketing, analytics]
{{- end }}

{{/* Environment variable by which the executable reads each of the suite's secrets. */}}
{{- define "meridian.secretVariables" -}}
redis: MERIDIAN__REDIS__URL
serviceKeySeed: MERIDIAN__AUTH__SERVICE_KEY_SEED
masterKey: MERIDIAN__AUTH__MASTER_KEY
wechatPrivateKey: MERIDIAN__WECHAT__PRIVATE_KEY
wechatApiKey: MERIDIAN__WECHAT__API_V3_KEY
alipayPrivateKey: MERIDIAN__ALIPAY__PRIVATE_KEY
sandbox: MERIDIAN__SANDBOX__SECRET
{{- end }}

{{/* Port of /metrics, /healthz and /readyz in every pod. */}}
{{- define "meridian.adminPort" -}}9464{{- end }}

{{/*
One role: its contract, and its values laid over the defaults, as YAML.
Argument: dict "root" $ "name" "booking".
*/}}
{{- define "meridian.role" -}}
{{- $contract := get (include "meridian.contract" .root | fromYaml) .name -}}
{{- $values := mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy (get .root.Values.services .name)) -}}
{{- dict "name" .name "contract" $contract "values" $values | toYaml -}}
{{- end }}
