// A path may have anything in it, so that a line ends only behind a digest.
#include "catalog/sidecar_lines.h"

namespace imgmill {

std::vector<FinishedWork::SourceSidecar> ReadSidecarLines(std::string_view lines) {
  constexpr size_t kHex = 2 * sizeof(ContentDigest::bytes);
  std::vector<FinishedWork::SourceSidecar> sidecars;
  size_t begin = 0;
  for (size_t end = lines.find('\n'); end != std::string_view::npos; end = lines.find('\n', end + 1)) {
    if (end < begin + kHex + 1 || lines[end - kHex - 1] != ' ') continue;
    const auto content = ContentDigest::FromHex(lines.substr(end - kHex, kHex));
    if (!content) continue;
    sidecars.push_back({std::string(lines.substr(begin, end - kHex - 1 - begin)), *content});
    begin = end + 1;
  }
  return sidecars;
}

std::string SidecarLine(const FinishedWork::SourceSidecar& sidecar) {
  return sidecar.path + " " + sidecar.content.Hex() + "\n";
}

}  // namespace imgmill
