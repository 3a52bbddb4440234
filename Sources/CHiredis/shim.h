// The parts of hiredis that PosternRedis calls: commands into bytes, bytes into replies. No logic here. Its sockets
// (hiredis.h's redisContext, async.h) are not used.
#pragma once
#include <hiredis/hiredis.h>
#include <hiredis/read.h>
