#include "networks/named_kernels.h"

#include <cstdlib>
#include <string>
#include <string_view>

#include "imgmill/base/path_text.h"
#include "networks/kernels/conv_variants.h"
#include "networks/kernels/kernel_choice.h"

namespace imgmill {

Status CheckNamedKernels() {
  const char* const named = std::getenv("IMGMILL_ISA");
  if (named == nullptr || *named == '\0' || std::string_view(named) == "libtorch") return {};
  if (FindConvKernels(named) != nullptr) return {};
  std::string choices;
  for (const char* set : kInstructionSets) {
    if (FindConvKernels(set) != nullptr) choices.append(set).append(", ");
  }
  return Error{Stage::kConfigure, Code::kUsage,
               "IMGMILL_ISA is \"" + PrintablePath(named) +
                   "\", of which there are no kernels for this processor: it takes " + choices +
                   "or libtorch for LibTorch's"};
}

}  // namespace imgmill
