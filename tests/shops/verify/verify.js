// Verifies webhooks with the published library: one JSON object a line on standard input,
// {"secret", "headers", "body"}; answers "taken" or "refused: why" for each.
const { Webhook } = require('standardwebhooks');
const lines = require('fs').readFileSync(0, 'utf8').split('\n').filter(Boolean);
for (const line of lines) {
  const { secret, headers, body } = JSON.parse(line);
  try {
    const payload = new Webhook(secret).verify(body, headers);
    console.log(payload.paymentId ? 'taken' : 'refused: no payload');
  } catch (error) {
    console.log(`refused: ${error.message}`);
  }
}
