# Makes the keyring, and finishes what a kill interrupted; `consigne keyring rotate` asks as this identity too.
# The rights of `prepare` in adapters/keyring/rights.py; `consigne` is the mount of the Transit engine.
path "consigne/config/keys" {
  capabilities = ["update"]
  allowed_parameters = { "disable_upsert" = [true] }
}
path "consigne/keys" { capabilities = ["list"] }
path "consigne/keys/consigne-signing" {
  capabilities = ["create", "read", "update"]
  allowed_parameters = {
    "type"                   = ["ed25519"]
    "exportable"             = [false]
    "allow_plaintext_backup" = [false]
  }
}
path "consigne/keys/consigne-signing/rotate" { capabilities = ["update"] }
path "consigne/keys/consigne-blind-index" {
  capabilities = ["create", "read", "update"]
  allowed_parameters = {
    "type"                   = ["aes256-gcm96"]
    "exportable"             = [false]
    "allow_plaintext_backup" = [false]
  }
}
path "consigne/keys/consigne-blind-index/rotate" { capabilities = ["update"] }
path "consigne/keys/consigne-tombstone" {
  capabilities = ["create", "read", "update"]
  allowed_parameters = {
    "type"                   = ["aes256-gcm96"]
    "exportable"             = [false]
    "allow_plaintext_backup" = [false]
  }
}
path "consigne/keys/consigne-tombstone/rotate" { capabilities = ["update"] }
path "consigne/keys/consigne-draw" {
  capabilities = ["create", "read", "update"]
  allowed_parameters = {
    "type"                   = ["aes256-gcm96"]
    "exportable"             = [false]
    "allow_plaintext_backup" = [false]
  }
}
path "consigne/keys/consigne-draw/rotate" { capabilities = ["update"] }
path "consigne/keys/consigne-epoch-*" {
  capabilities = ["create", "read", "update", "delete"]
  allowed_parameters = {
    "deletion_allowed"       = [true]
    "type"                   = ["aes256-gcm96"]
    "exportable"             = [false]
    "allow_plaintext_backup" = [false]
  }
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
path "consigne/encrypt/consigne-epoch-*" { capabilities = ["update"] }
path "consigne/decrypt/consigne-epoch-*" { capabilities = ["update"] }
path "consigne/sign/consigne-signing" { capabilities = ["update"] }
path "consigne/hmac/consigne-blind-index" { capabilities = ["update"] }
path "consigne/hmac/consigne-tombstone" { capabilities = ["update"] }
path "consigne/hmac/consigne-draw" { capabilities = ["update"] }
