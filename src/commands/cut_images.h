// Images of which only a part could be read: what the JSON document of a run that takes such files says of
// them.
#pragma once

#include <string>

#include "imgmill/catalog/catalog.h"
#include "imgmill/dataset/record_table.h"
#include "imgmill/engine/operation.h"
#include "imgmill/report/json_object.h"

namespace imgmill {

class CutImages {
 public:
  /// @param catalog  outlives this: it remembers them for runs in which it answers
  CutImages(const Operation& operation, Catalog& catalog);

  /// Of any image; those that are whole, or failed, are passed over.
  void Add(const Outcome& outcome);
  bool empty() const { return images_.empty(); }
  /// An object each, with its path and which part was read, in words.
  JsonRows Rows() const;

 private:
  struct Cut {
    std::string path;
    std::string note;

    template <typename Self, typename Each>
    static void EachField(Self& self, Each& each) {
      each(self.path), each(self.note);
    }
  };

  Catalog& catalog_;
  const bool takes_broken_;
  RecordTable<Cut> images_;
};

}  // namespace imgmill
