-- Makes the requests that wrk sends, and prints what it measured. load.ts writes the arguments.
local make

local function uuid()
  return string.format('%08x-%04x-4%03x-8%03x-%012x', math.random(0, 0x7fffffff), math.random(0, 0xffff),
    math.random(0, 0xfff), math.random(0, 0xfff), math.random(0, 0x7fffffff))
end

local function read(path)
  local customers = {}
  for line in io.lines(path) do
    local token, accounts = line:match('^(%S+)\t(.*)$')
    local customer = { authorization = 'Bearer ' .. token, accounts = {} }
    for account in accounts:gmatch('%S+') do table.insert(customer.accounts, account) end
    table.insert(customers, customer)
  end
  return customers
end

local kinds = {}

-- Sends always the same body, with a token if one is given.
function kinds.same(body, token)
  local headers = { ['content-type'] = 'application/json' }
  if token ~= '' then headers.authorization = 'Bearer ' .. token end
  local request = wrk.format('POST', nil, headers, body)
  return function() return request end
end

-- Sends transfers between accounts with numbers, as the peer takes them.
function kinds.numbered(first, last)
  first, last = tonumber(first), tonumber(last)
  local headers = { ['content-type'] = 'application/json' }
  return function()
    local from, to = math.random(first, last), math.random(first, last - 1)
    if to >= from then to = to + 1 end
    local body = string.format('{"key":"%s","from":%d,"to":%d,"amount":100}', uuid(), from, to)
    return wrk.format('POST', nil, headers, body)
  end
end

-- Sends transfers of one dollar between random accounts, or to one account, each with a key of its own. With
-- a size, each request holds that many transfers of one customer.
function kinds.transfers(path, prefix, to_account, size)
  local customers = read(path)
  local count = 0
  local function transfer(customer)
    local from = customer.accounts[math.random(#customer.accounts)]
    local to = to_account
    while to == '' or to == from do
      local other = customers[math.random(#customers)]
      to = other.accounts[math.random(#other.accounts)]
    end
    return '{"type":"transfer","account_id":"' .. from .. '","to_account_id":"' .. to .. '","amount":"1.00"}'
  end
  size = tonumber(size)
  return function()
    local customer = customers[math.random(#customers)]
    local body
    if size == 0 then
      body = transfer(customer)
    else
      local transfers = {}
      for n = 1, size do transfers[n] = transfer(customer) end
      body = '{"transactions":[' .. table.concat(transfers, ',') .. ']}'
    end
    count = count + 1
    local headers = {
      ['content-type'] = 'application/json',
      authorization = customer.authorization,
      ['idempotency-key'] = prefix .. '-' .. count,
    }
    return wrk.format('POST', nil, headers, body)
  end
end

-- wrk asks for a delay before each request only if this script has a function of that name.
function init(args)
  math.randomseed(tonumber(args[1]))
  local pause = tonumber(args[2])
  if pause > 0 then
    delay = function() return math.random(0, 2 * pause) end
  end
  make = kinds[args[3]](unpack(args, 4))
end

function request() return make() end

-- Prints one line of JSON at the end. Latencies are in microseconds.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"answers":%d,"seconds":%f,"refused":%d,"broken":%d,"late":%d,"p50":%f,"p99":%f,"p999":%f}\n',
    summary.requests, summary.duration / 1e6, errors.status, errors.connect + errors.read + errors.write,
    errors.timeout, latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
