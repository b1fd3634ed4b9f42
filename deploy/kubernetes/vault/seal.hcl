# Signs checkpoints.
# The rights of `seal` in adapters/keyring/rights.py; `consigne` is the mount of the Transit engine.
path "consigne/keys/consigne-signing" { capabilities = ["read"] }
path "consigne/sign/consigne-signing" { capabilities = ["update"] }
