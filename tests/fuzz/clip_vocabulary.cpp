// Fuzzes vocabularies of CLIP's tokenizer, and the texts that it cleans and cuts into tokens.
#include <algorithm>

#include "fuzz/input_file.h"
#include "imgmill/text/clip_tokenizer.h"

using namespace imgmill;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  if (bytes == 0) return 0;
  constexpr int kContext = 20;
  // As many joins as the file has lines, or as its first byte says.
  const auto lines = static_cast<int>(std::count(data, data + bytes, '\n'));
  for (const int joins : {lines - 1, data[0] % 8}) {
    const int tokens = 514 + std::clamp(joins, 0, 1000);
    const Result<ClipTokenizer> tokenizer = ClipTokenizer::Read(fuzz::InputFilePath(data, bytes), tokens);
    if (!tokenizer) continue;
    const Result<ClipTokens> found =
        tokenizer->Encode({reinterpret_cast<const char*>(data), std::min<size_t>(bytes, 1000)}, kContext);
    if (!found) continue;
    fuzz::Require(found->ids.size() >= 2 && found->ids.size() <= kContext);
    fuzz::Require(found->ids.front() == tokens - 2 && found->ids.back() == tokens - 1);
    for (const int32_t id : found->ids) fuzz::Require(id >= 0 && id < tokens);
  }
  return 0;
}
