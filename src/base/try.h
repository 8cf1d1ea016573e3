// The way out of a function whose step failed, in the place of the step.
#pragma once

#include "imgmill/base/result.h"

/// The value of a Result, moved out of it; where it is an Error, the function returns that. A Status has no
/// value: `TRY(Check());`. The function returns a Result, a Status or an Error; a lambda says that it does.
#define TRY(expression)                                    \
  ({                                                       \
    auto try_result = (expression);                        \
    if (!try_result) return std::move(try_result).error(); \
    *std::move(try_result);                                \
  })
