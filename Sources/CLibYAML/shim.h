// The parser of libyaml, which PosternProxy reads its configuration with. No logic here.
#pragma once
#include <yaml.h>
