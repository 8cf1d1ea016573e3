// Fuzzes the reading of tar archives: every member lies in the archive, in order, and is found by its name.
#include "archive/tar_index.h"

#include <fcntl.h>

#include <cstring>
#include <vector>

#include "archive/tar_format.h"
#include "base/unique_fd.h"
#include "fuzz/input_file.h"

using namespace imgmill;

namespace {

/// Gives all that may be a header its checksum: no change would come past it else.
std::vector<uint8_t> Summed(const uint8_t* data, size_t bytes) {
  std::vector<uint8_t> summed(data, data + bytes);
  for (size_t at = 0; at + tar::kBlock <= bytes; at += tar::kBlock) {
    tar::Header header;
    std::memcpy(header.data(), data + at, header.size());
    if (std::memcmp(header.data() + tar::kMagic.at, "ustar", 5) != 0) continue;
    uint64_t sum = tar::ChecksumOf(header);
    for (size_t digit = 7; digit-- > 0; sum /= 8)
      summed[at + tar::kChecksum.at + digit] = static_cast<uint8_t>('0' + sum % 8);
    summed[at + tar::kChecksum.at + 7] = 0;
  }
  return summed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const std::vector<uint8_t> summed = Summed(data, bytes);
  const UniqueFd file(::open(fuzz::InputFilePath(summed.data(), bytes).c_str(), O_RDONLY | O_CLOEXEC));
  const Result<TarIndex> index = TarIndex::Read(file.get(), bytes);
  if (!index) return 0;
  for (size_t i = 0; i < index->size(); ++i) {
    const TarIndex::Member member = (*index)[i];
    fuzz::Require(member.start <= bytes && member.bytes <= bytes - member.start);
    fuzz::Require(i == 0 || (*index)[i - 1].name < member.name);
    fuzz::Require(!member.name.empty() && member.name.front() != '/' &&
                  index->Find(member.name)->start == member.start);
  }
  return 0;
}
