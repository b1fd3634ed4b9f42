# Looks which keys live.
# The rights of `prove` in adapters/keyring/rights.py; `consigne` is the mount of the Transit engine.
path "consigne/keys" { capabilities = ["list"] }
path "consigne/keys/consigne-signing" { capabilities = ["read"] }
path "consigne/keys/consigne-epoch-*" { capabilities = ["read"] }
