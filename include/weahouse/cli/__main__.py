from weahouse.cli import main

main()
