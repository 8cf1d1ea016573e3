// SIGINT and SIGTERM ask the run to stop; a second one ends it at once.
#pragma once

#include "imgmill/base/stop_flag.h"

namespace imgmill {

/// Installs the handlers and returns the flag that they set.
StopFlag& InstallStopSignals();

}  // namespace imgmill
