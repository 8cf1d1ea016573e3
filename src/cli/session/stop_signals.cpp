// The handlers only set a flag; everything else asks it.
#include "stop_signals.h"

#include <csignal>

namespace imgmill {
namespace {

StopFlag stop_flag;

extern "C" void OnStopSignal(int) {
  stop_flag.RequestStop();
}

}  // namespace

StopFlag& InstallStopSignals() {
  struct sigaction action = {};
  action.sa_handler = OnStopSignal;
  // A second Ctrl-C must work even if a library hangs: the handler serves once. The disk is safe either way.
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a closed stdout is a write error, not a kill
  return stop_flag;
}

}  // namespace imgmill
