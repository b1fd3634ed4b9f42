# Destroys epochs' keys; neither wraps nor opens.
# The rights of `expire` in adapters/keyring/rights.py; `consigne` is the mount of the Transit engine.
path "consigne/keys" { capabilities = ["list"] }
path "consigne/keys/consigne-signing" { capabilities = ["read"] }
path "consigne/keys/consigne-epoch-*" {
  capabilities = ["read", "update", "delete"]
  allowed_parameters = { "deletion_allowed" = [true] }
}
# A destroyed epoch's name is reserved for ever: its marker can be made, never freed.
path "consigne/keys/consigne-gone-*" {
  capabilities = ["create", "read", "update"]
  allowed_parameters = {
    "type"                   = ["aes256-gcm96"]
    "exportable"             = [false]
    "allow_plaintext_backup" = [false]
  }
}
path "consigne/sign/consigne-signing" { capabilities = ["update"] }
