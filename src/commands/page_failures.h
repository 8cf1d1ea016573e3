// What a page says of a run's failures.
#pragma once

#include "imgmill/commands/command.h"
#include "imgmill/report/page_failures.h"

namespace imgmill {

Result<PageFailures> PageFailuresOf(const FailureTable& failed);

}  // namespace imgmill
