{{/* An egress rule over TCP to {peers, port}; nothing at all when there are no peers, as an empty list means nobody. */}}
{{- define "meridian.egressTo" -}}
{{- if .peers -}}
- to:
    {{- toYaml .peers | nindent 4 }}
  ports:
    - protocol: TCP
      port: {{ .port }}
{{- end -}}
{{- end }}

{{- define "meridian.egressToDns" -}}
{{- with .Values.networkPolicy.dns -}}
- to:
    {{- toYaml . | nindent 4 }}
  ports:
    - protocol: UDP
      port: 53
    - protocol: TCP
      port: 53
{{- end -}}
{{- end }}
