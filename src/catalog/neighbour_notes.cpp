// A header with the digest of what follows, then pairs.
#include "imgmill/catalog/neighbour_notes.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/try.h"
#include "base/unique_fd.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/dataset/running_digest.h"

namespace imgmill {
namespace {

constexpr char kMagic[8] = {'I', 'M', 'G', 'M', 'N', 'E', 'A', '\1'};
constexpr size_t kPairsAtOnce = 4096;

struct NotedPair {
  uint64_t hash = 0;
  uint64_t near = 0;
};

struct Header {
  char magic[8] = {};
  uint64_t pairs = 0;
  ContentDigest kind;
  ContentDigest digest;  ///< of the pairs
};

ContentDigest DigestOfText(const std::string& text) {
  return DigestOfBytes(text.data(), text.size());
}

/// Calls see(pairs) with some after others, as many as the header says. False where there are fewer.
template <typename See>
bool ForEachPiece(int fd, uint64_t pairs, const See& see) {
  std::array<NotedPair, kPairsAtOnce> piece;
  while (pairs > 0) {
    const size_t count = static_cast<size_t>(std::min<uint64_t>(pairs, piece.size()));
    if (ReadFull(fd, piece.data(), count * sizeof(NotedPair)) !=
        static_cast<ssize_t>(count * sizeof(NotedPair)))
      return false;
    see(std::span<const NotedPair>(piece.data(), count));
    pairs -= count;
  }
  return true;
}

/// The pairs of both, piece by piece.
template <typename See>
Status ForEachPair(std::span<const uint64_t> hashes, std::span<const uint64_t> near, const See& see) {
  std::array<NotedPair, kPairsAtOnce> piece;
  for (size_t first = 0; first < hashes.size(); first += piece.size()) {
    const size_t count = std::min(piece.size(), hashes.size() - first);
    for (size_t i = 0; i < count; ++i) piece[i] = {hashes[first + i], near[first + i]};
    TRY(see(std::string_view(reinterpret_cast<const char*>(piece.data()), count * sizeof(NotedPair))));
  }
  return {};
}

}  // namespace

NeighbourNotes::NeighbourNotes(const std::string& folder, const std::string& kind) : kind_(kind) {
  if (!folder.empty()) path_ = folder + "/near/" + DigestOfText(kind).Hex().substr(0, 16) + ".near";
}

Status NeighbourNotes::ForEach(const std::function<void(uint64_t hash, uint64_t near)>& see) const {
  if (!kept()) return {};
  const UniqueFd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  Header header;
  if (!file.valid() || ReadFull(file.get(), &header, sizeof header) != sizeof header) return {};
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0 || header.kind != DigestOfText(kind_)) return {};
  RunningDigest digest;
  const bool whole = ForEachPiece(file.get(), header.pairs, [&](std::span<const NotedPair> piece) {
    digest.Add(piece.data(), piece.size_bytes());
  });
  if (!whole || digest.Finish() != header.digest) return {};
  const Error unreadable{Stage::kCatalog, Code::kReadError, PrintablePath(path_) + " cannot be read again"};
  if (::lseek(file.get(), sizeof header, SEEK_SET) < 0) return unreadable;
  const bool again = ForEachPiece(file.get(), header.pairs, [&](std::span<const NotedPair> piece) {
    for (const NotedPair& pair : piece) see(pair.hash, pair.near);
  });
  return again ? Status() : Status(unreadable);
}

Status NeighbourNotes::Write(std::span<const uint64_t> hashes, std::span<const uint64_t> near) const {
  if (!kept()) return {};
  Header header;
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.pairs = hashes.size();
  header.kind = DigestOfText(kind_);
  RunningDigest digest;
  TRY(ForEachPair(hashes, near, [&](std::string_view bytes) -> Status {
    digest.Add(bytes.data(), bytes.size());
    return {};
  }));
  header.digest = digest.Finish();
  TRY(MakeFolders(path_.substr(0, path_.rfind('/'))));
  const std::string temporary = TemporaryNameFor(path_);
  const TextWriter write = [&](const TextSink& put) -> Status {
    TRY(put(std::string_view(reinterpret_cast<const char*>(&header), sizeof header)));
    return ForEachPair(hashes, near, put);
  };
  TRY(WriteNewFile(temporary, write));
  return Publish(temporary, path_, /*overwrite=*/true);
}

}  // namespace imgmill
