-- What wrk sends. Requests come ready-made from a file, one a line, with a tab for each end of a line in the head; so wrk's own
-- process spends next to nothing on Lua. The last line on standard output is what was measured, as JSON.
--
-- GECKOS3_BENCH_MODE: "circle" sends them again and again; "once" sends each once and stops; "each" gives each thread one request
-- of its own, rendered once, for bodies that are too large to be copied for every request. Only a PUT has a body; requests of several
-- methods may be mixed when all their bodies together are small.

local ffi = require("ffi")
ffi.cdef[[
typedef struct { long seconds; long nanoseconds; } bench_moment;
int clock_gettime(int clock, bench_moment *moment);
int getpid(void);
int kill(int pid, int signal);
]]

local moment = ffi.new("bench_moment")
local function now()
  ffi.C.clock_gettime(1, moment)
  return tonumber(moment.seconds) + tonumber(moment.nanoseconds) / 1e9
end

local mode = os.getenv("GECKOS3_BENCH_MODE")
local size = tonumber(os.getenv("GECKOS3_BENCH_SIZE"))
local body = string.rep("x", size)
local whole = 4096 * 4096 -- bytes of bodies that are joined to their heads beforehand
local heads, at, count = {}, 0, 0
local threads = {}

started, finished, used = 0, 0, 0

function setup(thread)
  thread:set("number", #threads + 1)
  threads[#threads + 1] = thread
end

function init(args)
  for line in io.lines(os.getenv("GECKOS3_BENCH_REQUESTS")) do
    heads[#heads + 1] = line:gsub("\t", "\r\n")
  end
  count = #heads
  if mode == "each" then
    local own = heads[(number - 1) % count + 1] .. body
    wrk.format = function() return own end
  elseif count * size <= whole then
    for index = 1, count do
      if heads[index]:sub(1, 4) == "PUT " then heads[index] = heads[index] .. body end
    end
    body = ""
  end
end

if mode == "circle" then
  function request()
    at = at % count + 1
    if body == "" then return heads[at] end
    return heads[at] .. body
  end
elseif mode == "once" then
  function request()
    -- wrk asks for one request before it connects, only to see that there is one.
    if used == 1 then started = now() end
    if used < count then
      used = used + 1
    elseif finished == 0 then
      finished = now()
      wrk.thread:stop()
      ffi.C.kill(ffi.C.getpid(), 2)
    end
    return heads[used] .. body
  end
elseif size > 0 then
  -- Few and long uploads: the time after the last answer belongs to none of them.
  function response() finished = now() end
end

function done(summary, latency, requests)
  local seconds = summary.duration / 1e6
  local begin, last, sent = now() - seconds, 0, 0
  for _, thread in ipairs(threads) do
    if thread:get("started") > 0 then begin = thread:get("started") end
    last = math.max(last, thread:get("finished"))
    sent = sent + thread:get("used")
  end
  if last > 0 then seconds = last - begin end
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "bytes": %d, "used": %d, "refused": %d, "broken": %d, "p50": %d, "p99": %d}\n',
    summary.requests, seconds, summary.bytes, sent, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50), latency:percentile(99)))
end
