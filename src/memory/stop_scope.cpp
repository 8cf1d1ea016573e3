// A flag a thread, in the library that the program and the module of LibTorch share.
#include "imgmill/memory/stop_scope.h"

namespace imgmill {
namespace {

thread_local const StopFlag* current_stop = nullptr;

}  // namespace

StopScope::StopScope(const StopFlag& stop) : outer_(current_stop) {
  current_stop = &stop;
}
StopScope::~StopScope() {
  current_stop = outer_;
}
const StopFlag* StopScope::Current() {
  return current_stop;
}

}  // namespace imgmill
