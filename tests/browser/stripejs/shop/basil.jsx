// A shop of the basil train: CheckoutProvider waits for the promise of initCheckout().
import React, { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { loadStripe } from '@stripe/stripe-js';
import { CheckoutProvider, PaymentElement, useCheckout } from '@stripe/react-stripe-js';

const asked = JSON.parse(decodeURIComponent(window.location.hash.slice(1)));
const stripePromise = loadStripe(asked.key);
const options = { fetchClientSecret: async () => asked.secret };

function Order() {
  const checkout = useCheckout();
  const [result, setResult] = useState('');
  const pay = async () => {
    await checkout.updateEmail('jenny@example.com');
    setResult(JSON.stringify(await checkout.confirm({ redirect: 'if_required' })));
  };
  return (
    <>
      <p id="total">{checkout.total.total.amount}</p>
      <PaymentElement />
      <button onClick={pay}>Pay</button>
      <output id="result">{result}</output>
    </>
  );
}

createRoot(document.getElementById('app')).render(
  <CheckoutProvider stripe={stripePromise} options={options}>
    <Order />
  </CheckoutProvider>,
);
