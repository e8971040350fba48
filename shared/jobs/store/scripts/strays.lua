-- Claims that may have no holder: of workers that do not live, and of the one that asks, which knows what it holds.
-- ARGV 1 the worker that asks, then queues
-- Returns {queue, id, owner ('' = unknown)} per claim.

local lives = {}
local function is_alive(worker)
  if lives[worker] == nil then lives[worker] = redis.call('EXISTS', alive_key(worker)) == 1 end
  return lives[worker]
end

local found = {}
for k = 2, #ARGV do
  for _, id in ipairs(queues.active(ARGV[k])) do
    local owner = queues.owner_of(ARGV[k], id) or ''
    if owner == ARGV[1] or not is_alive(owner) then found[#found + 1] = { ARGV[k], id, owner } end
  end
end
return found
