// What `imgmill pack` does with an image: finds out what belongs to it, and how it is called in a shard.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/dataset/pair_index.h"
#include "imgmill/dataset/record_table.h"
#include "imgmill/dataset/sidecars.h"
#include "imgmill/engine/operation.h"

namespace imgmill {

/// What the names of a sample's members begin with: the folder, and the name up to its first dot. Nothing for
/// a name that gives none, which readers of WebDataset pass over.
/// Source: base_plus_ext in webdataset/tariterators.py, github.com/webdataset/webdataset.
std::optional<std::string_view> SampleKey(std::string_view member);

/// The name that makes an image a sample of its own, and its side-cars' parts of that: dots before the ending
/// become %2E, and percent signs %25. Where images differ by their endings only, the ending is part of the
/// key, behind %2F. No two images have one key.
/// @param file  the image's own path, or a side-car's
std::string MemberOfImage(const ListedFile& image, std::string_view file);

/// That of a partner in a folder of this name: "0001.LQ.png" beside "0001.png".
std::string MemberOfPartner(const ListedFile& image, std::string_view folder, std::string_view partner);

/// Where partners are, and what their folder is called.
struct PackedPairs {
  std::vector<PairIndex> indexes;
  std::vector<std::string> folders;
};

/// A file that goes into a shard.
struct PackedFile {
  std::string path;
  std::string member;  ///< its name there
  ContentDigest content;
  uint64_t bytes = 0;
  bool sidecar = false;
  int width = 0, height = 0, bands = 0;  ///< of an image, as it is stored
  int64_t index = -1;                    ///< in the listing; -1 of what was not listed: partners, side-cars

  template <typename Self, typename Each>
  static void EachField(Self& self, Each& each) {
    each(self.path), each(self.member), each(self.content), each(self.bytes), each(self.sidecar);
    each(self.width), each(self.height), each(self.bands), each(self.index);
  }
};

/// An image, its partners and its side-cars.
struct PackedImage {
  ListedFile file;
  std::vector<PackedFile> files;  ///< the image first, then its partners

  template <typename Self, typename Each>
  static void EachField(Self& self, Each& each) {
    each(self.file), each(self.files);
  }
};
using PackedImages = RecordTable<PackedImage>;

class PackOperation final : public Operation {
 public:
  /// @param by_prefix  images are one sample where their names are the same up to the first dot
  /// @param sidecars  patterns
  PackOperation(bool by_prefix, const std::vector<std::string>& sidecars, PackedPairs& pairs);

  Result<std::vector<std::string>> FindPartners(const ListedFile& file) override;
  std::vector<std::string> FindSidecars(const ListedFile& file) override;
  Result<ItemPlan> Plan(const Item& item) const override;
  Result<std::unique_ptr<ItemTask>> Start(const Item& item, const ItemPlan& plan) override;
  void Collect(Outcome& outcome) override;

  /// Those that can be packed, in the order of the listing.
  const PackedImages& images() const { return images_; }
  const SidecarFinder& finder() const { return finder_; }
  /// Bytes of the largest file.
  uint64_t largest() const { return largest_; }

 private:
  class Task;

  const bool by_prefix_;
  const SidecarFinder finder_;
  PackedPairs& pairs_;
  PackedImages images_;
  uint64_t largest_ = 0;
};

}  // namespace imgmill
