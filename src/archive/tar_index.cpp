// The names of an archive's members, and where they are.
#include "archive/tar_index.h"

#include <algorithm>
#include <cstring>

#include "base/try.h"

namespace imgmill {
namespace {

/// Names stand in pieces, which do not move: no second copy is held while they grow.
constexpr size_t kPieceBits = 14;
constexpr size_t kPieceBytes = size_t{1} << kPieceBits;
static_assert(TarIndex::kLongestName < kPieceBytes);

}  // namespace

void TarIndex::Add(std::string_view name, uint64_t start, uint64_t bytes) {
  if (pieces_.empty() || piece_used_ + name.size() + 1 > kPieceBytes) {
    pieces_.push_back(std::make_unique_for_overwrite<char[]>(kPieceBytes));
    piece_used_ = 0;
  }
  char* const to = pieces_.back().get() + piece_used_;
  std::memcpy(to, name.data(), name.size());
  to[name.size()] = '\0';
  places_.push_back({start, bytes, ((pieces_.size() - 1) << kPieceBits) + piece_used_});
  piece_used_ += name.size() + 1;
}

void TarIndex::Tell(std::string name, Error error) {
  // Listings hand them on as copies.
  constexpr size_t kCopies = 3;
  problem_bytes_ += kCopies * (sizeof(Problem) + name.size() + error.message.size());
  problems_.push_back({std::move(name), std::move(error)});
}

size_t TarIndex::memory() const {
  return pieces_.size() * kPieceBytes + places_.size() * sizeof(Place) + problem_bytes_;
}

std::string_view TarIndex::NameOf(const Place& place) const {
  return pieces_[place.name >> kPieceBits].get() + (place.name & (kPieceBytes - 1));
}

Status TarIndex::Sort(const Watch& watch) {
  std::sort(places_.begin(), places_.end(), [this](const Place& a, const Place& b) {
    const int order = NameOf(a).compare(NameOf(b));
    return order != 0 ? order < 0 : a.start > b.start;
  });
  // Of members with one name, tar leaves the last on the disk.
  const auto same = [this](const Place& kept, const Place& other) { return NameOf(kept) == NameOf(other); };
  for (size_t i = 1; i < places_.size(); ++i) {
    if (!same(places_[i - 1], places_[i])) continue;
    Tell(std::string(NameOf(places_[i])),
         {Stage::kList, Code::kUnsupported,
          "another member of that name stands behind it, and is taken in its place"});
    if (watch.may_hold) TRY(watch.may_hold(memory()));
  }
  places_.erase(std::unique(places_.begin(), places_.end(), same), places_.end());
  return {};
}

TarIndex::Member TarIndex::operator[](size_t index) const {
  const Place& place = places_[index];
  return {NameOf(place), place.start, place.bytes};
}

size_t TarIndex::From(std::string_view name) const {
  const auto at =
      std::lower_bound(places_.begin(), places_.end(), name,
                       [this](const Place& place, std::string_view text) { return NameOf(place) < text; });
  return static_cast<size_t>(at - places_.begin());
}

std::optional<TarIndex::Member> TarIndex::Find(std::string_view name) const {
  const size_t at = From(name);
  if (at == size() || (*this)[at].name != name) return std::nullopt;
  return (*this)[at];
}

bool TarIndex::HasFolder(std::string_view name) const {
  if (name.empty()) return true;
  const std::string prefix = std::string(name) + "/";
  const size_t at = From(prefix);
  return at < size() && (*this)[at].name.starts_with(prefix);
}

}  // namespace imgmill
