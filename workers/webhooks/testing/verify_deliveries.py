"""Verifies deliveries with the PyPI package: JSON lines {secret, headers, body} on standard input; prints how many."""

import json
import sys

from standardwebhooks import Webhook

count = 0
for line in sys.stdin:
    delivery = json.loads(line)
    Webhook(delivery["secret"]).verify(delivery["body"], delivery["headers"])
    count += 1
print(count)
