#include "base/may_overwrite.h"

#include <array>
#include <fstream>

#include "base/usage_error.h"
#include "imgmill/base/image_format.h"
#include "imgmill/base/path_text.h"

namespace imgmill {

Status MayOverwrite(const std::string& flag, const std::string& path) {
  std::array<char, 16> head{};
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), head.size());
  const Signature signature = SignatureOf({head.data(), static_cast<size_t>(file.gcount())});
  if (signature.format == ImageFormat::kOther) return {};
  return UsageError(flag + " " + PrintablePath(path) + " would overwrite an image (" +
                    std::string(FactsOf(signature.format).title) + "): name another file");
}

}  // namespace imgmill
