# cmake --install: program, library with header and pkg-config file, manual pages, completion, schemas, examples.
configure_file(cmake/mailreeve.pc.in ${CMAKE_BINARY_DIR}/mailreeve.pc @ONLY)
install(TARGETS mailreeve LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES lib/include/mailreeve.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_BINARY_DIR}/mailreeve.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(TARGETS mailreeve-bin RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY schema/ DESTINATION ${CMAKE_INSTALL_DATADIR}/mailreeve/schema FILES_MATCHING PATTERN "*.json")
install(DIRECTORY examples/company DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)

# Written by the program itself from its tables of verbs and options.
function(mr_written_by_program kind file folder)
  add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/${file}
    COMMAND mailreeve-bin completion ${kind} > ${CMAKE_BINARY_DIR}/${file} DEPENDS mailreeve-bin VERBATIM)
  add_custom_target(written-${kind} ALL DEPENDS ${CMAKE_BINARY_DIR}/${file})
  install(FILES ${CMAKE_BINARY_DIR}/${file} DESTINATION ${folder} RENAME ${ARGN})
endfunction()
mr_written_by_program(man mailreeve.1 ${CMAKE_INSTALL_MANDIR}/man1 mailreeve.1)
mr_written_by_program(bash mailreeve.bash ${CMAKE_INSTALL_DATADIR}/bash-completion/completions mailreeve)
mr_written_by_program(zsh mailreeve.zsh ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions _mailreeve)
mr_written_by_program(fish mailreeve.fish ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d mailreeve.fish)
install(FILES docs/man/mailreeve-agent.yaml.5 docs/man/mailreeve-repository.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
