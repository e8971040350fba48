-- A consumer takes no more jobs from hand to hand.
-- ARGV 1 queue  2 worker
-- Returns how many it was given and had not read: they wait again.
return handover.leave(ARGV[1], ARGV[2])
