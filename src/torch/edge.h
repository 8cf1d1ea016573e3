// What LibTorch throws.
#pragma once

#include "networks/edge.h"

namespace imgmill {

/// To be given to TranslateBy.
Error TranslateLibTorch(Stage stage);

}  // namespace imgmill
