const axios = require('axios');
async function createPayment(orderTotalLtc) {
try {
const response = await axios.post('https://gateway.fluxcord.store/api/payments', {
amountLtc: orderTotalLtc,
webhookUrl: 'https://your-website.com/api/webhook/ltc-payment'
}, {
headers: {
'x-api-key': 'YOUR_SECRET_API_KEY'
}
});
console.log('Payment URL:', response.data.paymentUrl);
// Redirect your user to response.data.paymentUrl
} catch (error) {
console.error('Error creating payment:', error.response.data);
}
}
