# Listens, files and finds, and moves what was decided to its epoch.
# The rights of `desk` in adapters/keyring/rights.py; `consigne` is the mount of the Transit engine.
path "consigne/keys/consigne-signing" { capabilities = ["read"] }
path "consigne/keys/consigne-blind-index" { capabilities = ["read"] }
path "consigne/keys/consigne-draw" { capabilities = ["read"] }
path "consigne/keys/consigne-tombstone" { capabilities = ["read"] }
path "consigne/keys/consigne-epoch-*" {
  capabilities = ["create", "read", "update"]
  allowed_parameters = {
    "type"                   = ["aes256-gcm96"]
    "exportable"             = [false]
    "allow_plaintext_backup" = [false]
  }
}
path "consigne/keys/consigne-gone-*" { capabilities = ["read"] }
path "consigne/encrypt/consigne-epoch-*" { capabilities = ["update"] }
path "consigne/decrypt/consigne-epoch-*" { capabilities = ["update"] }
path "consigne/sign/consigne-signing" { capabilities = ["update"] }
path "consigne/hmac/consigne-blind-index" { capabilities = ["update"] }
path "consigne/hmac/consigne-tombstone" { capabilities = ["update"] }
path "consigne/hmac/consigne-draw" { capabilities = ["update"] }
