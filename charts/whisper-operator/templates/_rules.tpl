{{- /* What the operator may do in the namespaces that it serves; nothing here reads a Secret. A test fails for a right that no request uses. */ -}}
{{- define "whisper.rules" -}}
# what users write: read, and report in status
- apiGroups: [whisper.livetranslate.io]
  resources: [modelsets, whisperservices]
  verbs: [list, watch]
- apiGroups: [whisper.livetranslate.io]
  resources: [modelsets/status, whisperservices/status]
  verbs: [patch]
# owner references that block deletion; some clusters ask for this permission
- apiGroups: [whisper.livetranslate.io]
  resources: [modelsets/finalizers, whisperservices/finalizers]
  verbs: [update]
# what they become; apply is patch, and create where the object is new
- apiGroups: [""]
  resources: [services, configmaps]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
# claims are never deleted by the operator: owner references do it, where the user asked for it
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, list, watch, create, patch]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
# why a claim or a pod does not come, and what we say
- apiGroups: [""]
  resources: [events]
  verbs: [list]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}
