app.post('/api/webhook/ltc-payment', express.json(), (req, res) => {
const { paymentId, status, amountLtc, receivingAddress } = req.body;
if (status === 'completed') {
// 1. Verify this paymentId exists in your database
// 2. Mark the user's order as paid
// 3. Deliver the product/service automatically
console.log(`Payment ${paymentId} completed! Delivered product.`);
}
res.status(200).send('Webhook received');
});
