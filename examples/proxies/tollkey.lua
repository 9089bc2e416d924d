-- Asks Tollkey about each request. An accepted request goes on with X-Key-… and without its key.
local URL = os.getenv("TOLLKEY_FORWARD_AUTH") or "http://127.0.0.1:8421/v1/keys/forward-auth"
local SENT_ON = { "authorization", "origin", "access-control-request-method" }
local AWAY = '{"error": {"code": "unavailable", "message": "API keys cannot be checked at the moment."}}'

local function refuse(txn, status, headers, body)
    local reply = txn:reply({ status = status })
    for name, values in pairs(headers) do
        local hop_by_hop = name == "connection" or name == "transfer-encoding" or name == "content-length"
        for _, value in pairs(values) do
            if not hop_by_hop then reply:add_header(name, value) end
        end
    end
    reply:set_body(body)
    txn:done(reply)
end

core.register_action("tollkey", { "http-req" }, function(txn)
    local received = txn.http:req_get_headers()
    local asked = {
        ["x-original-method"] = { txn.sf:method() },
        ["x-original-uri"] = { txn.sf:pathq() },
        ["x-real-ip"] = { txn.sf:src() },
        ["x-forwarded-for"] = { txn.sf:src() },
    }
    for _, name in ipairs(SENT_ON) do
        local values = received[name]
        if values ~= nil then
            asked[name] = {}
            for _, value in pairs(values) do table.insert(asked[name], value) end
        end
    end
    local answer = core.httpclient():get({ url = URL, headers = asked, timeout = 2000 })
    for name, _ in pairs(received) do
        -- X_Key_Account is X-Key-Account for an application that reads headers as CGI variables do
        if name:gsub("_", "-"):sub(1, 6) == "x-key-" then txn.http:req_del_header(name) end
    end
    if answer.status == 200 then
        for name, values in pairs(answer.headers) do
            if name:sub(1, 6) == "x-key-" then txn.http:req_set_header(name, values[0]) end
        end
        txn.http:req_del_header("authorization")
    elseif answer.status == 401 or answer.status == 403 or answer.status == 429 then
        refuse(txn, answer.status, answer.headers, answer.body)
    else
        refuse(txn, 503, { ["content-type"] = { "application/json" }, ["retry-after"] = { "1" } }, AWAY)
    end
end)
