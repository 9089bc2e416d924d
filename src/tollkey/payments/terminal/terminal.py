"""Terminal: locations, card readers, and simulated readers on which a test presents the card.

reader, no action ──process_payment_intent──▶ action in_progress ──present_payment_method──▶ succeeded | failed
                                                    └──cancel_action──▶ no action
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, cast

from tollkey.keys import Permission
from tollkey.payments.shared import fields, providers
from tollkey.payments.terminal import kinds, states
from tollkey.payments.terminal.presenting import present
from tollkey.wire import Call, Endpoint, Resource, invalid, new_object
from tollkey.wire.errors import missing_param
from tollkey.wire.live import needs, only_in_test, records
from tollkey.wire.objects import Deleted
from tollkey.wire.pages import listing, retrieve

if TYPE_CHECKING:
    from tollkey.payments.terminal.stored import StoredReader
    from tollkey.wire import api, operations

LOCATIONS = Permission("terminal_location", "Locations", "Terminal")
READERS = Permission("terminal_reader", "Readers", "Terminal")
CONFIGURATIONS = Permission("terminal_configuration", "Configurations", "Terminal")
TOKENS = Permission("terminal_connection_token", "Connection Tokens", "Terminal", levels=("write",))

#: Registration code -> the type of the simulated device.
_SIMULATED = {
    "simulated-wpe": "simulated_wisepos_e",
    "simulated-s700": "simulated_stripe_s700",
    "simulated-s710": "simulated_stripe_s710",
}


# -- locations and configurations

#: What a location in Japan has besides, in other characters.
_JAPANESE = ("address_kana", "address_kanji", "display_name_kana", "display_name_kanji")


def create_location(call: Call, params: operations.PostTerminalLocations) -> api.TerminalLocation:
    """Create a location."""
    for name in ("address", "display_name"):
        if not params.get(name):
            raise missing_param(name)
    location = new_object(
        kinds.LOCATION,
        id=call.ids.new("tml"),
        address=fields.address(params["address"]),
        display_name=params["display_name"],
        livemode=call.livemode,
        metadata=fields.new_metadata(params),
    )
    fields.assign(location, params, ("configuration_overrides", "phone", *_JAPANESE))
    return call.objects.insert(location)


def update_location(call: Call, params: operations.PostTerminalLocationsLocation) -> api.TerminalLocation:
    """Change a location."""
    location = call.objects.get(kinds.LOCATION, call.path["location"])
    if params.get("address"):
        country = params["address"].get("country")
        if country is not None and country != location["address"]["country"]:
            raise invalid("You cannot change the country of a location.", "address[country]")
        fields.assign(location["address"], params["address"], params["address"])
    fields.assign(location, params, ("configuration_overrides", "display_name", "phone", *_JAPANESE))
    fields.merge_metadata(location, params)
    return call.objects.save(location)


def delete_location(call: Call, params: operations.DeleteTerminalLocationsLocation) -> Deleted:
    """Delete a location that has no readers."""
    location = call.objects.get(kinds.LOCATION, call.path["location"])
    if call.objects.query(kinds.READER, {"location": location["id"]}, limit=1):
        raise invalid("You cannot delete a location that has readers registered to it.", retry=False)
    return call.objects.delete(location)


#: Types of readers with settings of their own.
_DEVICES = (
    "bbpos_wisepad3", "bbpos_wisepos_e", "stripe_s700", "stripe_s710", "verifone_m425", "verifone_p400",
    "verifone_p630", "verifone_ux700", "verifone_v660p",
)  # fmt: skip
_SETTINGS = ("cellular", "name", "offline", "reboot_window", "tipping", "wifi", *_DEVICES)
_NETWORKS = ("enterprise_eap_peap", "enterprise_eap_tls", "personal_psk")


def _check_reboot(window: operations.RebootWindow | None) -> None:
    """Raise ApiError 400 unless readers restart between two different hours of the day."""
    if window is None:
        return
    for name, hour in (("start_hour", window["start_hour"]), ("end_hour", window["end_hour"])):
        if not 0 <= hour <= 23:
            raise invalid("This value must be an hour from 0 to 23.", f"reboot_window[{name}]")
    if window["start_hour"] == window["end_hour"]:
        raise invalid("The end hour must be different from the start hour.", "reboot_window[end_hour]")


def _check_files(call: Call, params: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for a splash screen or a certificate whose file is unknown."""
    for device in _DEVICES:
        picture = (params.get(device) or {}).get("splashscreen")
        if picture:
            call.objects.get("file", picture, f"{device}[splashscreen]")
    wifi = params.get("wifi") or {}
    for kind in _NETWORKS:
        for name in ("ca_certificate_file", "client_certificate_file", "private_key_file"):
            if (wifi.get(kind) or {}).get(name):
                call.objects.get("file", wifi[kind][name], f"wifi[{kind}][{name}]")


def _check_wifi(wifi: operations.Wifi | None) -> None:
    """Raise ApiError 400 unless a network has the details of its type and of no other."""
    if wifi is None:
        return
    for kind in _NETWORKS:
        if (kind in wifi) != (kind == wifi["type"]):
            param = f"wifi[{kind}]"
            raise (
                missing_param(param) if kind not in wifi else invalid(f"The network is of type {wifi['type']}.", param)
            )


def _check_configuration(
    call: Call, params: operations.PostTerminalConfigurations | operations.PostTerminalConfigurationsConfiguration
) -> None:
    _check_reboot(params.get("reboot_window"))
    _check_wifi(params.get("wifi"))
    _check_files(call, params)


def create_configuration(call: Call, params: operations.PostTerminalConfigurations) -> api.TerminalConfiguration:
    """Create a reader configuration."""
    _check_configuration(call, params)
    configuration = new_object(
        kinds.CONFIGURATION, id=call.ids.new("tmc"), is_account_default=False, livemode=call.livemode
    )
    fields.assign(configuration, params, _SETTINGS)
    return call.objects.insert(configuration)


def update_configuration(
    call: Call, params: operations.PostTerminalConfigurationsConfiguration
) -> api.TerminalConfiguration:
    """Change a reader configuration."""
    _check_configuration(call, params)
    configuration = call.objects.get(kinds.CONFIGURATION, call.path["configuration"])
    given: Mapping[str, Any] = params  # the names of the settings are computed
    unset = {name for name in _SETTINGS if name in given and given[name] is None and name != "name"}
    fields.assign(configuration, params, [name for name in _SETTINGS if name not in unset])
    settings = cast("MutableMapping[str, object]", configuration)  # the names that are taken out are computed
    for name in unset:
        settings.pop(name, None)
    return call.objects.save(configuration)


def delete_configuration(call: Call, params: operations.DeleteTerminalConfigurationsConfiguration) -> Deleted:
    """Delete a reader configuration."""
    configuration = call.objects.get(kinds.CONFIGURATION, call.path["configuration"])
    return call.objects.delete(configuration)


def connection_token(call: Call, params: operations.PostTerminalConnectionTokens) -> api.TerminalConnectionToken:
    """Create a short-lived secret with which the software of a reader connects."""
    if params.get("location"):
        call.objects.get(kinds.LOCATION, params["location"], "location")
    mode = "live" if call.livemode else "test"
    token = new_object(kinds.CONNECTION_TOKEN, secret=f"pst_{mode}_{call.ids.text(40)}")
    if params.get("location"):
        token["location"] = params["location"]
    return token


# -- readers


def create_reader(call: Call, params: operations.PostTerminalReaders) -> StoredReader:
    """Register a reader. In test mode, codes that begin with ``simulated`` register simulated readers."""
    code = params["registration_code"]
    if code not in _SIMULATED:
        raise invalid(
            f"No such registration code: '{code}'", "registration_code", "terminal_reader_invalid_registration_code"
        )
    if params.get("location"):
        call.objects.get(kinds.LOCATION, params["location"], "location")
    id = call.ids.new("tmr")
    serial = f"simulated-{call.ids.text(8).lower()}"
    reader = new_object(
        kinds.READER,
        id=id,
        device_sw_version="",
        device_type=_SIMULATED[code],
        ip_address="0.0.0.0",
        label=params.get("label") or serial,
        last_seen_at=call.now * 1000,
        livemode=call.livemode,
        location=params.get("location"),
        metadata=fields.new_metadata(params),
        serial_number=serial,
        status="online",
    )
    return call.objects.insert(reader)


def _reader(call: Call) -> StoredReader:
    return call.objects.get(kinds.READER, call.path["reader"])


def update_reader(call: Call, params: operations.PostTerminalReadersReader) -> StoredReader:
    """Change the label or the metadata of a reader."""
    reader = _reader(call)
    fields.assign(reader, params, ("label",))
    fields.merge_metadata(reader, params)
    return call.objects.save(reader)


def delete_reader(call: Call, params: operations.DeleteTerminalReadersReader) -> Mapping[str, object]:
    """Unregister a reader."""
    reader = _reader(call)
    gone = call.objects.delete(reader)
    return {**gone, "device_type": reader["device_type"], "serial_number": reader["serial_number"]}


def _process_config(
    given: operations.PostTerminalReadersReaderProcessPaymentIntentProcessConfig,
) -> api.TerminalReaderReaderResourceProcessConfig:
    """Return ``process_config`` as the action shows it."""
    shown: api.TerminalReaderReaderResourceProcessConfig = {}
    fields.assign(shown, given, ("enable_customer_cancellation", "return_url", "skip_tipping", "tipping"))
    return shown


def process_payment_intent(
    call: Call, params: operations.PostTerminalReadersReaderProcessPaymentIntent
) -> StoredReader:
    """Start a payment on a reader: it asks for a card to pay a PaymentIntent."""
    reader = _reader(call)
    intent = call.objects.get(kinds.PAYMENT_INTENT, params["payment_intent"], "payment_intent")
    if reader["action"] is not None and reader["action"]["status"] == "in_progress":
        raise invalid("Reader is currently busy processing another request.", None, "terminal_reader_busy", retry=False)
    if "card_present" not in intent["payment_method_types"]:
        raise invalid(
            "The PaymentIntent must accept the payment method type card_present.", "payment_intent", retry=False
        )
    if intent["status"] not in ("requires_payment_method", "requires_confirmation"):
        raise invalid(
            f"The PaymentIntent is in the {intent['status']} state and cannot be processed.", "payment_intent",
            "intent_invalid_state",
            retry=False,
        )  # fmt: skip
    inner: api.TerminalReaderReaderResourceProcessPaymentIntentAction = {"payment_intent": intent["id"]}
    reader.pop("_redisplay", None)
    config = params.get("process_config")
    if config:
        inner["process_config"] = _process_config(config)
        if "allow_redisplay" in config:
            reader["_redisplay"] = config["allow_redisplay"]
    reader["action"] = {
        "failure_code": None, "failure_message": None, "process_payment_intent": inner,
        "status": states.ACTION.start("in_progress"),
        "type": "process_payment_intent",
    }  # fmt: skip
    return call.objects.save(reader)


def cancel_action(call: Call, params: operations.PostTerminalReadersReaderCancelAction) -> StoredReader:
    """Cancel the current action of a reader."""
    reader = _reader(call)
    reader["action"] = None
    return call.objects.save(reader)


LOCATION = Resource(
    object="terminal.location",
    prefix="tml",
    permission=LOCATIONS,
    live=records(),
    label="terminal location",
    path_param="location",
    endpoints=(
        Endpoint("POST", "/v1/terminal/locations", create_location),
        listing("terminal.location", "/v1/terminal/locations"),
        retrieve("terminal.location", "/v1/terminal/locations/{location}"),
        Endpoint("POST", "/v1/terminal/locations/{location}", update_location),
        Endpoint("DELETE", "/v1/terminal/locations/{location}", delete_location),
    ),
    title="Terminal locations",
    columns=("display_name", "id"),
)

CONFIGURATION = Resource(
    object="terminal.configuration",
    prefix="tmc",
    permission=CONFIGURATIONS,
    live=records(),
    label="terminal configuration",
    path_param="configuration",
    indexed=("is_account_default",),
    endpoints=(
        Endpoint("POST", "/v1/terminal/configurations", create_configuration),
        listing("terminal.configuration", "/v1/terminal/configurations"),
        retrieve("terminal.configuration", "/v1/terminal/configurations/{configuration}"),
        Endpoint("POST", "/v1/terminal/configurations/{configuration}", update_configuration),
        Endpoint("DELETE", "/v1/terminal/configurations/{configuration}", delete_configuration),
    ),
    title="Terminal configurations",
)

CONNECTION_TOKEN = Resource(
    object="terminal.connection_token",
    permission=TOKENS,
    reveals={"secret": "write"},
    live=records(),
    stored=False,
    endpoints=(
        Endpoint(
            "POST", "/v1/terminal/connection_tokens", connection_token, secret="secret", live=needs(providers.TERMINAL)
        ),
    ),
    title="Connection tokens",
)

READER = Resource(
    object="terminal.reader",
    prefix="tmr",
    permission=READERS,
    live=records(),
    label="terminal reader",
    path_param="reader",
    indexed=("device_type", "location", "serial_number", "status"),
    endpoints=(
        Endpoint("POST", "/v1/terminal/readers", create_reader, live=needs(providers.TERMINAL)),
        listing("terminal.reader", "/v1/terminal/readers"),
        retrieve("terminal.reader", "/v1/terminal/readers/{reader}"),
        Endpoint("POST", "/v1/terminal/readers/{reader}", update_reader),
        Endpoint("DELETE", "/v1/terminal/readers/{reader}", delete_reader),
        Endpoint(
            "POST",
            "/v1/terminal/readers/{reader}/process_payment_intent",
            process_payment_intent,
            live=needs(providers.TERMINAL),
        ),
        Endpoint("POST", "/v1/terminal/readers/{reader}/cancel_action", cancel_action, live=needs(providers.TERMINAL)),
        Endpoint(
            "POST", "/v1/test_helpers/terminal/readers/{reader}/present_payment_method", present, live=only_in_test()
        ),
    ),
    title="Terminal readers",
    columns=("label", "device_type", "status", "id"),
)
