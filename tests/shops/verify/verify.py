# Verifies webhooks with the published library: one JSON object a line on standard input,
# {"secret", "headers", "body"}; answers "taken" or "refused: why" for each.
import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

for line in sys.stdin:
    case = json.loads(line)
    try:
        payload = Webhook(case["secret"]).verify(case["body"].encode(), case["headers"])
        print("taken" if payload["paymentId"] else "refused: no payload")
    except WebhookVerificationError as error:
        print(f"refused: {error}")
