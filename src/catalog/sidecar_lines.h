// The fact that work with side-cars has: a line for each of them (kSidecarsFact).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "imgmill/catalog/finished_work.h"

namespace imgmill {

std::vector<FinishedWork::SourceSidecar> ReadSidecarLines(std::string_view lines);
std::string SidecarLine(const FinishedWork::SourceSidecar& sidecar);

}  // namespace imgmill
