// The parts of libpq that the issuer's store calls. No logic here.
#pragma once
#include <libpq-fe.h>
