{{- define "whisper.name" -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "whisper.selector" -}}
app.kubernetes.io/name: whisper-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "whisper.labels" -}}
{{ include "whisper.selector" . }}
app.kubernetes.io/part-of: whisper
app.kubernetes.io/component: operator
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- /* An image as repository:tag; the chart's version where no tag is given. Call with (list root image). */ -}}
{{- define "whisper.image" -}}
{{- $root := index . 0 }}{{ $image := index . 1 -}}
{{ $image.repository }}:{{ $image.tag | default $root.Chart.AppVersion }}
{{- end }}
