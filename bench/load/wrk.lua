-- Run by wrk for every scenario: takes method, body size and connection header from the arguments after the URL,
-- and prints the result as one line of JSON (wrk's own report rounds). With a number of servers and paths behind
-- them, requests go to each path of each server in turn.
function init(args)
  wrk.method = args[1]
  wrk.headers["Host"] = args[4]
  if args[2] ~= "0" then wrk.body = string.rep("x", tonumber(args[2])) end
  if args[3] == "close" then wrk.headers["Connection"] = "close" end
  local servers = tonumber(args[5])
  if servers == 0 then return end
  local list = {}
  for server = 0, servers - 1 do
    for index = 6, #args do
      wrk.headers["Host"] = "s" .. server .. "." .. args[4]
      list[#list + 1] = wrk.format(nil, args[index])
    end
  end
  -- Neighbours in the list share a server: a step coprime to its length mixes them.
  local step = #list > 7 and 7 * 11 or 1
  local at = 0
  request = function()
    at = (at + step) % #list
    return list[at + 1]
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"seconds":%.6f,"p50":%.4f,"p99":%.4f,"errors":%d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
