// Refusals as statuses.
#include "memory/refusal_watch.h"

#include <exception>
#include <new>

namespace imgmill {

Status WithoutBadAlloc(const std::function<Status()>& attempt, RefusalWatch& watch) {
  Status status;
  try {
    status = attempt();
  } catch (const std::bad_alloc& refused) {
    status = Error{Stage::kCompute, Code::kOutOfMemory, refused.what()};
  } catch (const std::exception& problem) {
    if (!watch.Refused()) throw;
    return Error{Stage::kCompute, Code::kOutOfMemory, problem.what()};
  }
  if (status || !watch.Refused()) return status;
  Error error = status.error();
  if (error.code == Code::kModelError || error.code == Code::kInternal) error.code = Code::kOutOfMemory;
  return error;
}

}  // namespace imgmill
