"""Web hooks that go out: whom we tell what happens in the shop, signed and retried.

After the Standard Webhooks specification (github.com/standard-webhooks).
"""
