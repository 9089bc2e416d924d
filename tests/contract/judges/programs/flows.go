// The flows that every official SDK runs, with the one for Go: `flows URL KEY` prints what each came to.
// No API version is named, so that the SDK asks for the version it was made for.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/stripe/stripe-go/STRIPE_MAJOR"
	"github.com/stripe/stripe-go/STRIPE_MAJOR/webhook"
)

var (
	ctx = context.Background()
	api = client(os.Args[2])
	num = stripe.Int64
	yes = stripe.Bool(true)
)

func str(text string) *string { return &text }

func client(key string) *stripe.Client {
	backends := stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL: str(os.Args[1]), MaxNetworkRetries: num(0), LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
	})
	return stripe.NewClient(key, stripe.WithBackends(backends))
}

// must ends a flow with the error; run prints it as what the flow came to.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func until[T any](ask func() (T, bool)) T {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if answer, there := ask(); there {
			return answer
		}
	}
	panic("it did not happen in time")
}

func some() string { return fmt.Sprintf("go%d", time.Now().UnixNano()) }

func refusal(err error) []any {
	var refused *stripe.Error
	if !errors.As(err, &refused) {
		return []any{"no error of the API", fmt.Sprint(err)}
	}
	if refused.Code == "" {
		return []any{refused.HTTPStatusCode, nil}
	}
	return []any{refused.HTTPStatusCode, refused.Code}
}

func customer() any {
	made := must(api.V1Customers.Create(ctx, &stripe.CustomerCreateParams{Email: str("jenny@example.com")}))
	named := must(api.V1Customers.Update(ctx, made.ID, &stripe.CustomerUpdateParams{Name: str("Jenny")}))
	must(api.V1Customers.Delete(ctx, made.ID, nil))
	return []any{named.Name, must(api.V1Customers.Retrieve(ctx, made.ID, nil)).Deleted}
}

func saved() *stripe.CustomerCreateParams {
	return &stripe.CustomerCreateParams{
		PaymentMethod:   str("pm_card_visa"),
		InvoiceSettings: &stripe.CustomerCreateInvoiceSettingsParams{DefaultPaymentMethod: str("pm_card_visa")},
	}
}

func pay(amount int64, method string) (*stripe.PaymentIntent, error) {
	return api.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{
		Amount: num(amount), Currency: str("usd"), PaymentMethod: str(method), Confirm: yes,
		AutomaticPaymentMethods: &stripe.PaymentIntentCreateAutomaticPaymentMethodsParams{
			Enabled: yes, AllowRedirects: str("never"),
		},
	})
}

func payment() any {
	intent := must(pay(2000, "pm_card_visa"))
	return []any{intent.Status, intent.AmountReceived}
}

func threeDSecure() any {
	asked := must(api.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{
		Amount: num(1099), Currency: str("usd"), PaymentMethod: str("pm_card_threeDSecure2Required"), Confirm: yes,
		AutomaticPaymentMethods: &stripe.PaymentIntentCreateAutomaticPaymentMethodsParams{Enabled: yes},
		ReturnURL:               str("https://example.com/done"),
	}))
	page := asked.NextAction.RedirectToURL.URL
	answer := must(http.Get(page))
	html := must(io.ReadAll(answer.Body))
	form := regexp.MustCompile(`<form[^>]*action="([^"]*complete[^"]*)"`).FindSubmatch(html)
	target := must(must(url.Parse(page)).Parse(string(form[1])))
	stay := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	must(stay.Post(target.String(), "application/x-www-form-urlencoded", nil))
	return []any{asked.Status, must(api.V1PaymentIntents.Retrieve(ctx, asked.ID, nil)).Status}
}

func declined() any {
	intent, err := pay(2000, "pm_card_visa_chargeDeclined")
	var refused *stripe.Error
	if !errors.As(err, &refused) {
		return intent.Status
	}
	return []any{refused.HTTPStatusCode, refused.Code, refused.DeclineCode}
}

func refund() any {
	intent := must(pay(2000, "pm_card_visa"))
	made := must(api.V1Refunds.Create(ctx, &stripe.RefundCreateParams{PaymentIntent: str(intent.ID), Amount: num(500)}))
	return []any{made.Status, must(api.V1Charges.Retrieve(ctx, intent.LatestCharge.ID, nil)).AmountRefunded}
}

func subscription() any {
	start := int64(1_800_000_000)
	clock := must(api.V1TestHelpersTestClocks.Create(ctx, &stripe.TestHelpersTestClockCreateParams{FrozenTime: num(start)}))
	params := saved()
	params.TestClock = str(clock.ID)
	payer := must(api.V1Customers.Create(ctx, params))
	price := must(api.V1Prices.Create(ctx, &stripe.PriceCreateParams{
		UnitAmount: num(500), Currency: str("usd"), Recurring: &stripe.PriceCreateRecurringParams{Interval: str("month")},
		ProductData: &stripe.PriceCreateProductDataParams{Name: str("Silver")},
	}))
	made := must(api.V1Subscriptions.Create(ctx, &stripe.SubscriptionCreateParams{
		Customer: str(payer.ID), Items: []*stripe.SubscriptionCreateItemParams{{Price: str(price.ID)}},
	}))
	must(api.V1TestHelpersTestClocks.Advance(ctx, clock.ID, &stripe.TestHelpersTestClockAdvanceParams{FrozenTime: num(start + 35*86400)}))
	until(func() (any, bool) {
		return nil, must(api.V1TestHelpersTestClocks.Retrieve(ctx, clock.ID, nil)).Status == "ready"
	})
	invoices := []any{}
	for invoice, err := range api.V1Invoices.List(ctx, &stripe.InvoiceListParams{Subscription: str(made.ID)}).All(ctx) {
		invoices = append(invoices, []any{must(invoice, err).Status, invoice.BillingReason})
	}
	return []any{must(api.V1Subscriptions.Retrieve(ctx, made.ID, nil)).Status, invoices}
}

func invoice() any {
	payer := must(api.V1Customers.Create(ctx, saved()))
	draft := must(api.V1Invoices.Create(ctx, &stripe.InvoiceCreateParams{Customer: str(payer.ID), AutoAdvance: stripe.Bool(false)}))
	must(api.V1InvoiceItems.Create(ctx, &stripe.InvoiceItemCreateParams{
		Customer: str(payer.ID), Invoice: str(draft.ID), Amount: num(1500), Currency: str("usd"),
	}))
	opened := must(api.V1Invoices.FinalizeInvoice(ctx, draft.ID, nil))
	paid := must(api.V1Invoices.Pay(ctx, draft.ID, nil))
	return []any{draft.Status, opened.Status, paid.Status, paid.AmountPaid}
}

func checkout() any {
	made := must(api.V1CheckoutSessions.Create(ctx, &stripe.CheckoutSessionCreateParams{
		Mode: str("payment"), SuccessURL: str("https://example.com/done"),
		LineItems: []*stripe.CheckoutSessionCreateLineItemParams{{
			Quantity: num(2),
			PriceData: &stripe.CheckoutSessionCreateLineItemPriceDataParams{
				Currency: str("usd"), UnitAmount: num(700),
				ProductData: &stripe.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: str("Mug")},
			},
		}},
	}))
	expired := must(api.V1CheckoutSessions.Expire(ctx, made.ID, nil))
	return []any{made.Status, made.AmountTotal, made.URL != "", expired.Status}
}

func connect() any {
	account := must(api.V1Accounts.Create(ctx, &stripe.AccountCreateParams{
		Type: str("custom"), Country: str("US"), BusinessType: str("individual"),
		BusinessProfile: &stripe.AccountCreateBusinessProfileParams{MCC: str("5734"), URL: str("https://accessible.stripe.com")},
		Capabilities: &stripe.AccountCreateCapabilitiesParams{
			CardPayments: &stripe.AccountCreateCapabilitiesCardPaymentsParams{Requested: yes},
			Transfers:    &stripe.AccountCreateCapabilitiesTransfersParams{Requested: yes},
		},
		ExternalAccount: &stripe.AccountExternalAccountParams{Token: str("btok_us")},
		Individual: &stripe.PersonParams{
			FirstName: str("Jenny"), LastName: str("Rosen"), Email: str("jenny@example.com"), Phone: str("0000000000"),
			IDNumber: str("000000000"), DOB: &stripe.PersonDOBParams{Day: num(1), Month: num(1), Year: num(1901)},
			Address: &stripe.AddressParams{
				Line1: str("address_full_match"), City: str("Columbus"), State: str("OH"), PostalCode: str("43214"),
			},
		},
		TOSAcceptance: &stripe.AccountCreateTOSAcceptanceParams{Date: num(1_700_000_000), IP: str("8.8.8.8")},
	}))
	must(pay(10_000, "pm_card_bypassPending"))
	moved := must(api.V1Transfers.Create(ctx, &stripe.TransferCreateParams{
		Amount: num(3000), Currency: str("usd"), Destination: str(account.ID),
	}))
	theirs := &stripe.BalanceRetrieveParams{}
	theirs.SetStripeAccount(account.ID)
	balance := must(api.V1Balance.Retrieve(ctx, theirs))
	total := int64(0)
	for _, part := range append(balance.Available, balance.Pending...) {
		total += part.Amount
	}
	reversed := must(api.V1TransferReversals.Create(ctx, &stripe.TransferReversalCreateParams{ID: str(moved.ID), Amount: num(1000)}))
	return []any{total, reversed.Amount}
}

type delivery struct {
	body      []byte
	signature string
}

func webhooks() any {
	received := make(chan delivery, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		received <- delivery{must(io.ReadAll(request.Body)), request.Header.Get("Stripe-Signature")}
	}))
	defer hook.Close()
	endpoint := must(api.V1WebhookEndpoints.Create(ctx, &stripe.WebhookEndpointCreateParams{
		URL: str(hook.URL + "/hook"), EnabledEvents: []*string{str("customer.created")},
		APIVersion: str(stripe.APIVersion),
	}))
	made := must(api.V1Customers.Create(ctx, nil))
	var got delivery
	select {
	case got = <-received:
	case <-time.After(20 * time.Second):
		panic("no webhook came in time")
	}
	must(api.V1WebhookEndpoints.Delete(ctx, endpoint.ID, nil))
	event := must(webhook.ConstructEvent(got.body, got.signature, endpoint.Secret))
	forged := "accepted"
	if _, err := webhook.ConstructEvent(append(got.body, ' '), got.signature, endpoint.Secret); errors.Is(err, webhook.ErrNoValidSignature) {
		forged = "refused"
	}
	return []any{event.Type, event.Data.Object["id"] == made.ID, forged}
}

func pagination() any {
	email, ids := some()+"@example.com", ""
	for range 5 {
		ids = must(api.V1Customers.Create(ctx, &stripe.CustomerCreateParams{Email: str(email)})).ID + ids
	}
	params, walked := &stripe.CustomerListParams{Email: str(email)}, ""
	params.Limit = num(2)
	for found, err := range api.V1Customers.List(ctx, params).All(ctx) {
		walked += must(found, err).ID
	}
	return walked == ids
}

func idempotency() any {
	key := some()
	create := func(name string) (*stripe.Customer, error) {
		params := &stripe.CustomerCreateParams{Name: str(name)}
		params.SetIdempotencyKey(key)
		return api.V1Customers.Create(ctx, params)
	}
	first, again := must(create("Jenny")), must(create("Jenny"))
	_, err := create("Joan")
	return []any{first.ID == again.ID, refusal(err)[0]}
}

func faults() any {
	_, missing := api.V1Customers.Retrieve(ctx, "cus_missing", nil)
	_, small := pay(1, "pm_card_visa")
	extra := &stripe.CustomerCreateParams{}
	extra.AddExtra("colour", "red")
	_, unknown := api.V1Customers.Create(ctx, extra)
	wrong := client("sk_test_xxxxxxxxxxxxxxxxxxxxxxxx").V1Customers.List(ctx, &stripe.CustomerListParams{}).Err()
	return []any{refusal(missing), refusal(small), refusal(unknown), refusal(wrong)}
}

func upload(purpose string, name string, content []byte) *stripe.File {
	return must(api.V1Files.Create(ctx, &stripe.FileCreateParams{
		Purpose: str(purpose), Filename: str(name), FileReader: bytes.NewReader(content),
	}))
}

func files() any {
	content := []byte("%PDF-1.4 evidence")
	made := upload("dispute_evidence", "evidence.pdf", content)
	logo := upload("business_logo", "logo.png", append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 40)...))
	link := must(api.V1FileLinks.Create(ctx, &stripe.FileLinkCreateParams{File: str(logo.ID)}))
	return []any{made.Purpose, made.Size == int64(len(content)), link.Object}
}

func search() any {
	email := some() + "@example.com"
	made := must(api.V1Customers.Create(ctx, &stripe.CustomerCreateParams{Email: str(email)}))
	return until(func() (any, bool) {
		params := &stripe.CustomerSearchParams{}
		params.Query = fmt.Sprintf("email:'%s'", email)
		for found, err := range api.V1Customers.Search(ctx, params).All(ctx) {
			return must(found, err).ID == made.ID, true
		}
		return nil, false
	})
}

func v2() any {
	name := some()
	must(api.V1BillingMeters.Create(ctx, &stripe.BillingMeterCreateParams{
		DisplayName: str("calls"), EventName: str(name),
		DefaultAggregation: &stripe.BillingMeterCreateDefaultAggregationParams{Formula: str("sum")},
	}))
	payer := must(api.V1Customers.Create(ctx, nil))
	made := must(api.V2BillingMeterEvents.Create(ctx, &stripe.V2BillingMeterEventCreateParams{
		EventName: str(name), Payload: map[string]string{"stripe_customer_id": payer.ID, "value": "7"},
	}))
	session := must(api.V2BillingMeterEventSessions.Create(ctx, nil))
	return []any{made.Object, session.Object}
}

func destination() any {
	made := must(api.V2CoreEventDestinations.Create(ctx, &stripe.V2CoreEventDestinationCreateParams{
		Name: str("errors of meters"), Type: str("webhook_endpoint"), EventPayload: str("thin"),
		EnabledEvents:   []*string{str("v1.billing.meter.no_meter_found")},
		WebhookEndpoint: &stripe.V2CoreEventDestinationCreateWebhookEndpointParams{URL: str("https://example.com/hook")},
		Include:         []*string{str("webhook_endpoint.signing_secret")},
	}))
	listed := false
	for found, err := range api.V2CoreEventDestinations.List(ctx, nil).All(ctx) {
		listed = listed || must(found, err).ID == made.ID
	}
	secret := strings.HasPrefix(made.WebhookEndpoint.SigningSecret, "whsec_")
	disabled := must(api.V2CoreEventDestinations.Disable(ctx, made.ID, nil))
	deleted := must(api.V2CoreEventDestinations.Delete(ctx, made.ID, nil))
	return []any{made.Status, secret, listed, disabled.Status, deleted.ID == made.ID}
}

func run(name string, flow func() any) {
	defer func() {
		if fault := recover(); fault != nil {
			show(name, fmt.Sprint("error: ", fault))
		}
	}()
	show(name, flow())
}

func show(name string, came any) { fmt.Println(string(must(json.Marshal(map[string]any{name: came})))) }

func main() {
	for _, flow := range []struct {
		name string
		run  func() any
	}{
		{"customer", customer}, {"payment", payment}, {"three_d_secure", threeDSecure}, {"declined", declined},
		{"refund", refund}, {"subscription", subscription}, {"invoice", invoice}, {"checkout", checkout},
		{"connect", connect}, {"webhook", webhooks}, {"pagination", pagination}, {"idempotency", idempotency},
		{"errors", faults}, {"files", files}, {"search", search}, {"v2", v2},
		{"destination", destination},
	} {
		run(flow.name, flow.run)
	}
}
