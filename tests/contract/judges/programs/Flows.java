// The flows that every official SDK runs, with the one for Java: `Flows.java URL KEY` prints what each came to.
// No API version is named, so that the SDK asks for the version it was made for.

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.stripe.Stripe;
import com.stripe.StripeClient;
import com.stripe.exception.CardException;
import com.stripe.exception.SignatureVerificationException;
import com.stripe.exception.StripeException;
import com.stripe.model.Event;
import com.stripe.model.PaymentIntent;
import com.stripe.net.RequestOptions;
import com.stripe.net.Webhook;
import com.stripe.param.*;
import com.stripe.param.billing.MeterCreateParams;
import com.stripe.param.checkout.SessionCreateParams;
import com.stripe.param.testhelpers.TestClockAdvanceParams;
import com.stripe.param.testhelpers.TestClockCreateParams;
import com.stripe.param.v2.billing.MeterEventCreateParams;
import com.stripe.param.v2.core.EventDestinationCreateParams;
import com.stripe.service.V1Services;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class Flows {
  static String url;
  static StripeClient sdk;
  static V1Services api;

  static StripeClient client(String key) {
    return StripeClient.builder()
        .setApiKey(key).setApiBase(url).setFilesBase(url).setConnectBase(url).setMeterEventsBase(url)
        .setMaxNetworkRetries(0).build();
  }

  static <T> T until(Callable<T> ask) throws Exception {
    for (long end = System.nanoTime() + 20_000_000_000L; System.nanoTime() < end; Thread.sleep(50)) {
      T answer = ask.call();
      if (answer != null) return answer;
    }
    throw new IllegalStateException("it did not happen in time");
  }

  static String some() {
    return UUID.randomUUID().toString();
  }

  static List<Object> refusal(Callable<?> call) throws Exception {
    try {
      call.call();
      return List.of("no error");
    } catch (StripeException error) {
      return Arrays.asList(error.getStatusCode(), error.getCode());
    }
  }

  static Object customer() throws Exception {
    var made = api.customers().create(CustomerCreateParams.builder().setEmail("jenny@example.com").build());
    var named = api.customers().update(made.getId(), CustomerUpdateParams.builder().setName("Jenny").build());
    api.customers().delete(made.getId());
    return List.of(named.getName(), api.customers().retrieve(made.getId()).getDeleted());
  }

  static CustomerCreateParams.Builder saved() {
    var settings = CustomerCreateParams.InvoiceSettings.builder().setDefaultPaymentMethod("pm_card_visa").build();
    return CustomerCreateParams.builder().setPaymentMethod("pm_card_visa").setInvoiceSettings(settings);
  }

  static PaymentIntent pay(long amount, String method) throws StripeException {
    return api.paymentIntents().create(PaymentIntentCreateParams.builder()
        .setAmount(amount).setCurrency("usd").setPaymentMethod(method).setConfirm(true)
        .setAutomaticPaymentMethods(PaymentIntentCreateParams.AutomaticPaymentMethods.builder().setEnabled(true)
            .setAllowRedirects(PaymentIntentCreateParams.AutomaticPaymentMethods.AllowRedirects.NEVER).build())
        .build());
  }

  static Object payment() throws Exception {
    var intent = pay(2000, "pm_card_visa");
    return List.of(intent.getStatus(), intent.getAmountReceived());
  }

  static Object threeDSecure() throws Exception {
    var asked = api.paymentIntents().create(PaymentIntentCreateParams.builder()
        .setAmount(1099L).setCurrency("usd").setPaymentMethod("pm_card_threeDSecure2Required").setConfirm(true)
        .setAutomaticPaymentMethods(PaymentIntentCreateParams.AutomaticPaymentMethods.builder().setEnabled(true).build())
        .setReturnUrl("https://example.com/done").build());
    URI page = URI.create(asked.getNextAction().getRedirectToUrl().getUrl());
    HttpClient browser = HttpClient.newHttpClient();
    String html = browser.send(HttpRequest.newBuilder(page).build(), HttpResponse.BodyHandlers.ofString()).body();
    Matcher form = Pattern.compile("<form[^>]*action=\"([^\"]*complete[^\"]*)\"").matcher(html);
    form.find();
    var post = HttpRequest.newBuilder(page.resolve(form.group(1))).POST(HttpRequest.BodyPublishers.noBody()).build();
    browser.send(post, HttpResponse.BodyHandlers.ofString());
    return List.of(asked.getStatus(), api.paymentIntents().retrieve(asked.getId()).getStatus());
  }

  static Object declined() throws Exception {
    try {
      return pay(2000, "pm_card_visa_chargeDeclined").getStatus();
    } catch (CardException error) {
      return List.of(error.getStatusCode(), error.getCode(), error.getDeclineCode());
    }
  }

  static Object refund() throws Exception {
    var intent = pay(2000, "pm_card_visa");
    var made = api.refunds().create(
        RefundCreateParams.builder().setPaymentIntent(intent.getId()).setAmount(500L).build());
    return List.of(made.getStatus(), api.charges().retrieve(intent.getLatestCharge()).getAmountRefunded());
  }

  static Object subscription() throws Exception {
    long start = 1_800_000_000L;
    var clocks = api.testHelpers().testClocks();
    var clock = clocks.create(TestClockCreateParams.builder().setFrozenTime(start).build());
    var payer = api.customers().create(saved().setTestClock(clock.getId()).build());
    var price = api.prices().create(PriceCreateParams.builder().setUnitAmount(500L).setCurrency("usd")
        .setRecurring(PriceCreateParams.Recurring.builder()
            .setInterval(PriceCreateParams.Recurring.Interval.MONTH).build())
        .setProductData(PriceCreateParams.ProductData.builder().setName("Silver").build()).build());
    var made = api.subscriptions().create(SubscriptionCreateParams.builder().setCustomer(payer.getId())
        .addItem(SubscriptionCreateParams.Item.builder().setPrice(price.getId()).build()).build());
    clocks.advance(clock.getId(), TestClockAdvanceParams.builder().setFrozenTime(start + 35 * 86_400).build());
    until(() -> clocks.retrieve(clock.getId()).getStatus().equals("ready") ? true : null);
    List<Object> invoices = new ArrayList<>();
    for (var invoice : api.invoices().list(InvoiceListParams.builder().setSubscription(made.getId()).build()).getData())
      invoices.add(List.of(invoice.getStatus(), invoice.getBillingReason()));
    return List.of(api.subscriptions().retrieve(made.getId()).getStatus(), invoices);
  }

  static Object invoice() throws Exception {
    var payer = api.customers().create(saved().build());
    var draft = api.invoices().create(
        InvoiceCreateParams.builder().setCustomer(payer.getId()).setAutoAdvance(false).build());
    api.invoiceItems().create(InvoiceItemCreateParams.builder().setCustomer(payer.getId()).setInvoice(draft.getId())
        .setAmount(1500L).setCurrency("usd").build());
    var opened = api.invoices().finalizeInvoice(draft.getId());
    var paid = api.invoices().pay(draft.getId());
    return List.of(draft.getStatus(), opened.getStatus(), paid.getStatus(), paid.getAmountPaid());
  }

  static Object checkout() throws Exception {
    var product = SessionCreateParams.LineItem.PriceData.ProductData.builder().setName("Mug").build();
    var price = SessionCreateParams.LineItem.PriceData.builder()
        .setCurrency("usd").setUnitAmount(700L).setProductData(product).build();
    var made = api.checkout().sessions().create(SessionCreateParams.builder()
        .setMode(SessionCreateParams.Mode.PAYMENT).setSuccessUrl("https://example.com/done")
        .addLineItem(SessionCreateParams.LineItem.builder().setQuantity(2L).setPriceData(price).build()).build());
    var expired = api.checkout().sessions().expire(made.getId());
    return List.of(made.getStatus(), made.getAmountTotal(), made.getUrl() != null, expired.getStatus());
  }

  static Object connect() throws Exception {
    var capabilities = AccountCreateParams.Capabilities.builder()
        .setCardPayments(AccountCreateParams.Capabilities.CardPayments.builder().setRequested(true).build())
        .setTransfers(AccountCreateParams.Capabilities.Transfers.builder().setRequested(true).build()).build();
    var person = AccountCreateParams.Individual.builder()
        .setFirstName("Jenny").setLastName("Rosen").setEmail("jenny@example.com").setPhone("0000000000")
        .setIdNumber("000000000")
        .setDob(AccountCreateParams.Individual.Dob.builder().setDay(1L).setMonth(1L).setYear(1901L).build())
        .setAddress(AccountCreateParams.Individual.Address.builder().setLine1("address_full_match")
            .setCity("Columbus").setState("OH").setPostalCode("43214").build()).build();
    var account = api.accounts().create(AccountCreateParams.builder()
        .setType(AccountCreateParams.Type.CUSTOM).setCountry("US")
        .setBusinessType(AccountCreateParams.BusinessType.INDIVIDUAL)
        .setBusinessProfile(AccountCreateParams.BusinessProfile.builder()
            .setMcc("5734").setUrl("https://accessible.stripe.com").build())
        .setCapabilities(capabilities).setExternalAccount("btok_us").setIndividual(person)
        .setTosAcceptance(AccountCreateParams.TosAcceptance.builder().setDate(1_700_000_000L).setIp("8.8.8.8").build())
        .build());
    pay(10_000, "pm_card_bypassPending");
    var moved = api.transfers().create(TransferCreateParams.builder()
        .setAmount(3000L).setCurrency("usd").setDestination(account.getId()).build());
    var balance = api.balance().retrieve(RequestOptions.builder().setStripeAccount(account.getId()).build());
    long total = balance.getAvailable().stream().mapToLong(part -> part.getAmount()).sum()
        + balance.getPending().stream().mapToLong(part -> part.getAmount()).sum();
    var reversed = api.transfers().reversals().create(
        moved.getId(), TransferReversalCreateParams.builder().setAmount(1000L).build());
    return List.of(total, reversed.getAmount());
  }

  record Delivery(String body, String signature) {}

  static Object webhook() throws Exception {
    BlockingQueue<Delivery> received = new LinkedBlockingQueue<>();
    HttpServer hook = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    hook.createContext("/hook", exchange -> {
      String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      received.add(new Delivery(body, exchange.getRequestHeaders().getFirst("Stripe-Signature")));
      exchange.sendResponseHeaders(200, -1);
      exchange.close();
    });
    hook.start();
    var endpoint = api.webhookEndpoints().create(WebhookEndpointCreateParams.builder()
        .setUrl("http://127.0.0.1:" + hook.getAddress().getPort() + "/hook")
        .addEnabledEvent(WebhookEndpointCreateParams.EnabledEvent.CUSTOMER__CREATED)
        .putExtraParam("api_version", Stripe.API_VERSION).build());
    var made = api.customers().create();
    Delivery got = received.poll(20, TimeUnit.SECONDS);
    api.webhookEndpoints().delete(endpoint.getId());
    hook.stop(0);
    Event event = Webhook.constructEvent(got.body(), got.signature(), endpoint.getSecret());
    String forged = "accepted";
    try {
      Webhook.constructEvent(got.body() + " ", got.signature(), endpoint.getSecret());
    } catch (SignatureVerificationException error) {
      forged = "refused";
    }
    var customer = (com.stripe.model.Customer) event.getDataObjectDeserializer().getObject().get();
    return List.of(event.getType(), customer.getId().equals(made.getId()), forged);
  }

  static Object pagination() throws Exception {
    String email = some() + "@example.com";
    List<String> ids = new ArrayList<>();
    for (int made = 0; made < 5; made++)
      ids.add(0, api.customers().create(CustomerCreateParams.builder().setEmail(email).build()).getId());
    List<String> walked = new ArrayList<>();
    var list = api.customers().list(CustomerListParams.builder().setEmail(email).setLimit(2L).build());
    for (var found : list.autoPagingIterable()) walked.add(found.getId());
    return walked.equals(ids);
  }

  static Object idempotency() throws Exception {
    var options = RequestOptions.builder().setIdempotencyKey(some()).build();
    var jenny = CustomerCreateParams.builder().setName("Jenny").build();
    String first = api.customers().create(jenny, options).getId();
    String again = api.customers().create(jenny, options).getId();
    var joan = CustomerCreateParams.builder().setName("Joan").build();
    return List.of(first.equals(again), refusal(() -> api.customers().create(joan, options)).get(0));
  }

  static Object errors() throws Exception {
    var extra = CustomerCreateParams.builder().putExtraParam("colour", "red").build();
    return List.of(
        refusal(() -> api.customers().retrieve("cus_missing")),
        refusal(() -> pay(1, "pm_card_visa")),
        refusal(() -> api.customers().create(extra)),
        refusal(() -> client("sk_test_" + "x".repeat(24)).v1().customers().list()));
  }

  static com.stripe.model.File upload(FileCreateParams.Purpose purpose, byte[] content) throws StripeException {
    return api.files().create(
        FileCreateParams.builder().setPurpose(purpose).setFile(new ByteArrayInputStream(content)).build());
  }

  static Object files() throws Exception {
    byte[] content = "%PDF-1.4 evidence".getBytes(StandardCharsets.ISO_8859_1);
    byte[] png = ("\u0089PNG\r\n\u001a\n" + "\0".repeat(40)).getBytes(StandardCharsets.ISO_8859_1);
    var made = upload(FileCreateParams.Purpose.DISPUTE_EVIDENCE, content);
    var logo = upload(FileCreateParams.Purpose.BUSINESS_LOGO, png);
    var link = api.fileLinks().create(FileLinkCreateParams.builder().setFile(logo.getId()).build());
    return List.of(made.getPurpose(), made.getSize() == content.length, link.getObject());
  }

  static Object search() throws Exception {
    String email = some() + "@example.com";
    String id = api.customers().create(CustomerCreateParams.builder().setEmail(email).build()).getId();
    var query = CustomerSearchParams.builder().setQuery("email:'" + email + "'").build();
    return until(() -> {
      var found = api.customers().search(query).getData();
      return found.isEmpty() ? null : found.get(0).getId();
    }).equals(id);
  }

  static Object v2() throws Exception {
    String name = some();
    api.billing().meters().create(MeterCreateParams.builder().setDisplayName("calls").setEventName(name)
        .setDefaultAggregation(MeterCreateParams.DefaultAggregation.builder()
            .setFormula(MeterCreateParams.DefaultAggregation.Formula.SUM).build()).build());
    var payer = api.customers().create();
    var made = sdk.v2().billing().meterEvents().create(MeterEventCreateParams.builder().setEventName(name)
        .putPayload("stripe_customer_id", payer.getId()).putPayload("value", "7").build());
    return List.of(made.getObject(), sdk.v2().billing().meterEventSession().create().getObject());
  }

  static Object destination() throws Exception {
    var destinations = sdk.v2().core().eventDestinations();
    var made = destinations.create(EventDestinationCreateParams.builder()
        .setName("errors of meters").setType(EventDestinationCreateParams.Type.WEBHOOK_ENDPOINT)
        .setEventPayload(EventDestinationCreateParams.EventPayload.THIN)
        .addEnabledEvent("v1.billing.meter.no_meter_found")
        .setWebhookEndpoint(EventDestinationCreateParams.WebhookEndpoint.builder()
            .setUrl("https://example.com/hook").build())
        .addInclude(EventDestinationCreateParams.Include.WEBHOOK_ENDPOINT__SIGNING_SECRET).build());
    boolean listed = false;
    for (var found : destinations.list().autoPagingIterable()) listed |= found.getId().equals(made.getId());
    boolean secret = made.getWebhookEndpoint().getSigningSecret().startsWith("whsec_");
    String disabled = destinations.disable(made.getId()).getStatus();
    boolean deleted = destinations.delete(made.getId()).getId().equals(made.getId());
    return List.of(made.getStatus(), secret, listed, disabled, deleted);
  }

  public static void main(String[] words) {
    url = words[0];
    sdk = client(words[1]);
    api = sdk.v1();
    Map<String, Callable<Object>> flows = new LinkedHashMap<>();
    flows.put("customer", Flows::customer);
    flows.put("payment", Flows::payment);
    flows.put("three_d_secure", Flows::threeDSecure);
    flows.put("declined", Flows::declined);
    flows.put("refund", Flows::refund);
    flows.put("subscription", Flows::subscription);
    flows.put("invoice", Flows::invoice);
    flows.put("checkout", Flows::checkout);
    flows.put("connect", Flows::connect);
    flows.put("webhook", Flows::webhook);
    flows.put("pagination", Flows::pagination);
    flows.put("idempotency", Flows::idempotency);
    flows.put("errors", Flows::errors);
    flows.put("files", Flows::files);
    flows.put("search", Flows::search);
    flows.put("v2", Flows::v2);
    flows.put("destination", Flows::destination);
    Gson json = new GsonBuilder().serializeNulls().create();
    flows.forEach((name, flow) -> {
      Object came;
      try {
        came = flow.call();
      } catch (Exception error) {
        came = error.getClass().getSimpleName() + ": " + error.getMessage();
      }
      System.out.println(json.toJson(java.util.Collections.singletonMap(name, came)));
    });
    System.exit(0);
  }
}
