"""The whitelist's life: admission, review, demotion, entitlements."""
