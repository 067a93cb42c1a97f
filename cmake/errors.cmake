# Assembles the modules' errors.def files into one table (see base/error.h, "How to add an error").
# Run as a script: cmake -DOUT=<header> -DROOT=<source dir> -DFILES="a;b" -P errors.cmake
set(text "/* Assembled from the modules' errors.def files; edit those. */\n")
foreach(file IN LISTS FILES)
    file(RELATIVE_PATH relative ${ROOT} ${file})
    file(READ ${file} rows)
    string(APPEND text "/* ${relative} */\n${rows}\n")
endforeach()
file(WRITE ${OUT}.new "${text}")
file(COPY_FILE ${OUT}.new ${OUT} ONLY_IF_DIFFERENT)
file(REMOVE ${OUT}.new)
