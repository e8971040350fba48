-- Replaces a finished document by one whose output lies in a blob, unless it changed meanwhile (erased, say).
-- KEYS 1 finished  2 blobs   ARGV 1 length of the document that was read  2 new document  3 member
-- Returns 1 when replaced. The blob goes when the document does.

if redis.call('STRLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return 0 end
local ttl = redis.call('PTTL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[2], 'PX', ttl)
redis.call('ZADD', KEYS[2], now_ms() + ttl, ARGV[3])
return 1
